/* A PKCS#11 module that stands before a real one: it counts calls, and answers some of them itself.
 *
 * What is not told to fail is done by the real module. All is set by environment variables, read at each call:
 *
 *   INTERPOSER_MODULE       the real module
 *   INTERPOSER_LOG          a file to which the name of each counted function is appended, one to a line
 *   INTERPOSER_FAIL         FUNCTION:FIRST:LAST:CODE, comma-separated: the calls FIRST to LAST (from 1) return CODE (hex);
 *   INTERPOSER_EPOCH        the counts for that begin anew whenever this number changes
 *   INTERPOSER_FLAGS_SET    token flags (hex) that are reported beside the real ones
 *   INTERPOSER_FLAGS_CLEAR  token flags (hex) that are not reported
 *   INTERPOSER_WITHOUT      mechanisms (hex, comma-separated) that are not reported, and refused when used
 *   INTERPOSER_SESSIONS     how many sessions may be open at once; more are refused with CKR_SESSION_COUNT
 *   INTERPOSER_NO_THREADS   C_Initialize answers CKR_CANT_LOCK where locking is asked for
 *   INTERPOSER_PAD_PIN      C_Login without a PIN logs in with this one, as the keypad of a token does
 *   INTERPOSER_SPOIL        one bit of every signature is flipped
 *
 * The structures are those of PKCS#11 v2.40 on a system that does not pack them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ulong_t;
typedef struct { unsigned char major, minor; } version_t;
typedef struct { version_t version; void *function[68]; } function_list_t;
typedef struct {
  unsigned char label[32], manufacturer[32], model[16], serial[16];
  ulong_t flags;
} token_info_head_t;
typedef struct { ulong_t mechanism; void *parameter; ulong_t length; } mechanism_t;

enum { INITIALIZE = 0, GET_FUNCTION_LIST = 3, TOKEN_INFO = 6, MECHANISM_LIST = 7, OPEN_SESSION = 12, CLOSE_SESSION = 13,
       CLOSE_ALL = 14, LOGIN = 18, LOGOUT = 19, CREATE_OBJECT = 20, FIND_INIT = 26, SIGN_INIT = 42, SIGN = 43,
       GENERATE_PAIR = 59 };
enum { OK = 0x0, CANT_LOCK = 0xA, MECHANISM_INVALID = 0x70, SESSION_COUNT = 0xB1 };

static function_list_t *real, ours;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct { const char *name; long calls; } counted[] = {
  {"C_Initialize", 0}, {"C_OpenSession", 0}, {"C_Login", 0}, {"C_Logout", 0}, {"C_CreateObject", 0}, {"C_FindObjectsInit", 0},
  {"C_SignInit", 0}, {"C_Sign", 0}, {"C_GenerateKeyPair", 0}, {"C_GetTokenInfo", 0}, {"C_GetMechanismList", 0},
};
static long open_sessions, epoch;

static ulong_t hex(const char *name) {
  const char *text = getenv(name);
  return text ? strtoul(text, NULL, 16) : 0;
}

/* Counts a call, writes it down, and returns the code by which it is to fail, or OK. Under the guard. */
static ulong_t count(const char *name) {
  const char *now = getenv("INTERPOSER_EPOCH");
  if (now && atol(now) != epoch) {
    epoch = atol(now);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) counted[i].calls = 0;
  }
  long calls = 0;
  for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
    if (!strcmp(counted[i].name, name)) calls = ++counted[i].calls;
  const char *log = getenv("INTERPOSER_LOG");
  FILE *file = log ? fopen(log, "a") : NULL;
  if (file) { fprintf(file, "%s\n", name); fclose(file); }
  const char *rules = getenv("INTERPOSER_FAIL");
  char *copy = rules ? strdup(rules) : NULL, *rest = NULL;
  ulong_t found = OK;
  for (char *rule = copy ? strtok_r(copy, ",", &rest) : NULL; rule; rule = strtok_r(NULL, ",", &rest)) {
    char function[64]; long first, last; ulong_t code;
    if (sscanf(rule, "%63[^:]:%ld:%ld:%lx", function, &first, &last, &code) == 4
        && !strcmp(function, name) && first <= calls && calls <= last) found = code;
  }
  free(copy);
  return found;
}

static ulong_t counted_call(const char *name) {
  pthread_mutex_lock(&guard);
  ulong_t code = count(name);
  pthread_mutex_unlock(&guard);
  return code;
}

static int is_without(ulong_t mechanism) {
  const char *text = getenv("INTERPOSER_WITHOUT");
  while (text && *text) {
    char *end;
    if (strtoul(text, &end, 16) == mechanism && end != text) return 1;
    text = *end ? end + 1 : NULL;
  }
  return 0;
}

static ulong_t initialize(void *arguments) {
  ulong_t code = counted_call("C_Initialize");
  open_sessions = 0;
  if (code) return code;
  if (arguments && getenv("INTERPOSER_NO_THREADS")) return CANT_LOCK;
  return ((ulong_t (*)(void *))real->function[INITIALIZE])(arguments);
}

static ulong_t token_info(ulong_t slot, token_info_head_t *info) {
  ulong_t code = counted_call("C_GetTokenInfo");
  if (!code) code = ((ulong_t (*)(ulong_t, void *))real->function[TOKEN_INFO])(slot, info);
  if (!code) info->flags = (info->flags | hex("INTERPOSER_FLAGS_SET")) & ~hex("INTERPOSER_FLAGS_CLEAR");
  return code;
}

static ulong_t mechanism_list(ulong_t slot, ulong_t *list, ulong_t *length) {
  ulong_t code = counted_call("C_GetMechanismList");
  if (!code) code = ((ulong_t (*)(ulong_t, void *, void *))real->function[MECHANISM_LIST])(slot, list, length);
  if (code || !list) return code;
  ulong_t kept = 0;
  for (ulong_t i = 0; i < *length; i++)
    if (!is_without(list[i])) list[kept++] = list[i];
  /* The caller has taken the longer length for granted: what is left out is repeated. */
  for (ulong_t i = kept; i < *length && kept; i++) list[i] = list[0];
  return OK;
}

static ulong_t open_session(ulong_t slot, ulong_t flags, void *application, void *notify, ulong_t *handle) {
  ulong_t code = counted_call("C_OpenSession");
  if (code) return code;
  pthread_mutex_lock(&guard);
  const char *limit = getenv("INTERPOSER_SESSIONS");
  int full = limit && open_sessions >= atol(limit);
  if (!full) open_sessions++;
  pthread_mutex_unlock(&guard);
  if (full) return SESSION_COUNT;
  return ((ulong_t (*)(ulong_t, ulong_t, void *, void *, ulong_t *))real->function[OPEN_SESSION])(slot, flags, application, notify, handle);
}

static ulong_t close_session(ulong_t handle) {
  pthread_mutex_lock(&guard);
  open_sessions--;
  pthread_mutex_unlock(&guard);
  return ((ulong_t (*)(ulong_t))real->function[CLOSE_SESSION])(handle);
}

static ulong_t login(ulong_t session, ulong_t user, char *pin, ulong_t length) {
  ulong_t code = counted_call("C_Login");
  if (code) return code;
  if (!pin && getenv("INTERPOSER_PAD_PIN")) { pin = getenv("INTERPOSER_PAD_PIN"); length = strlen(pin); }
  return ((ulong_t (*)(ulong_t, ulong_t, char *, ulong_t))real->function[LOGIN])(session, user, pin, length);
}

static ulong_t logout(ulong_t session) {
  ulong_t code = counted_call("C_Logout");
  return code ? code : ((ulong_t (*)(ulong_t))real->function[LOGOUT])(session);
}

static ulong_t create_object(ulong_t session, void *template, ulong_t length, void *handle) {
  ulong_t code = counted_call("C_CreateObject");
  return code ? code : ((ulong_t (*)(ulong_t, void *, ulong_t, void *))real->function[CREATE_OBJECT])(session, template, length, handle);
}

static ulong_t find_init(ulong_t session, void *template, ulong_t length) {
  ulong_t code = counted_call("C_FindObjectsInit");
  return code ? code : ((ulong_t (*)(ulong_t, void *, ulong_t))real->function[FIND_INIT])(session, template, length);
}

static ulong_t sign_init(ulong_t session, mechanism_t *mechanism, ulong_t key) {
  ulong_t code = counted_call("C_SignInit");
  if (!code && mechanism && is_without(mechanism->mechanism)) code = MECHANISM_INVALID;
  return code ? code : ((ulong_t (*)(ulong_t, void *, ulong_t))real->function[SIGN_INIT])(session, mechanism, key);
}

static ulong_t sign(ulong_t session, void *data, ulong_t data_length, unsigned char *signature, ulong_t *length) {
  ulong_t code = signature ? counted_call("C_Sign") : OK; /* asking for the length signs nothing */
  if (code) return code;
  code = ((ulong_t (*)(ulong_t, void *, ulong_t, void *, ulong_t *))real->function[SIGN])(session, data, data_length, signature, length);
  if (!code && signature && getenv("INTERPOSER_SPOIL")) signature[*length / 2] ^= 1;
  return code;
}

static ulong_t generate_pair(ulong_t session, void *mechanism, void *public, ulong_t public_length, void *private,
                             ulong_t private_length, ulong_t *public_handle, ulong_t *private_handle) {
  ulong_t code = counted_call("C_GenerateKeyPair");
  return code ? code : ((ulong_t (*)(ulong_t, void *, void *, ulong_t, void *, ulong_t, void *, void *))real->function[GENERATE_PAIR])(
      session, mechanism, public, public_length, private, private_length, public_handle, private_handle);
}

ulong_t C_GetFunctionList(function_list_t **list) {
  if (!real) {
    const char *path = getenv("INTERPOSER_MODULE");
    void *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    ulong_t (*get)(function_list_t **) = handle ? (ulong_t (*)(function_list_t **))dlsym(handle, "C_GetFunctionList") : NULL;
    if (!get || get(&real)) return 0x5; /* CKR_GENERAL_ERROR */
    ours = *real;
    ours.function[INITIALIZE] = initialize;
    ours.function[GET_FUNCTION_LIST] = C_GetFunctionList;
    ours.function[TOKEN_INFO] = token_info;
    ours.function[MECHANISM_LIST] = mechanism_list;
    ours.function[OPEN_SESSION] = open_session;
    ours.function[CLOSE_SESSION] = close_session;
    ours.function[LOGIN] = login;
    ours.function[LOGOUT] = logout;
    ours.function[CREATE_OBJECT] = create_object;
    ours.function[FIND_INIT] = find_init;
    ours.function[SIGN_INIT] = sign_init;
    ours.function[SIGN] = sign;
    ours.function[GENERATE_PAIR] = generate_pair;
  }
  *list = &ours;
  return OK;
}
