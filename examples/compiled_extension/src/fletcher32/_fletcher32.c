/* Fletcher-32 over the little-endian 16-bit words of a buffer; an odd last byte counts as a word of its own. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *
checksum(PyObject *module, PyObject *argument)
{
    Py_buffer buffer;
    unsigned long low = 0, high = 0;

    if (PyObject_GetBuffer(argument, &buffer, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    const unsigned char *bytes = buffer.buf;
    for (Py_ssize_t at = 0; at < buffer.len; at += 2) {
        unsigned long word = bytes[at];
        if (at + 1 < buffer.len) {
            word |= (unsigned long)bytes[at + 1] << 8;
        }
        low = (low + word) % 65535;
        high = (high + low) % 65535;
    }
    PyBuffer_Release(&buffer);
    return PyLong_FromUnsignedLong((high << 16) | low);
}

static PyMethodDef methods[] = {
    {"checksum", checksum, METH_O, "Return the Fletcher-32 checksum of a bytes-like object."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fletcher32", NULL, 0, methods};

PyMODINIT_FUNC
PyInit__fletcher32(void)
{
    return PyModuleDef_Init(&module);
}
