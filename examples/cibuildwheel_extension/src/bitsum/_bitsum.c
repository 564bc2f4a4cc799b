#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *
bits(PyObject *module, PyObject *argument)
{
    unsigned long long left = PyLong_AsUnsignedLongLong(argument);
    long count = 0;

    if (left == (unsigned long long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    for (; left != 0; left &= left - 1) { /* takes the lowest bit away */
        count++;
    }
    return PyLong_FromLong(count);
}

static PyMethodDef methods[] = {
    {"bits", bits, METH_O, "Return how many bits of a number, below 2**64, are set."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_bitsum", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__bitsum(void)
{
    return PyModule_Create(&module);
}
