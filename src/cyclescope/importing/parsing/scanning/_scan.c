/* Events of a Chrome trace from text to columns in one pass, without a Python object an event.
 *
 * It reads what is right and plain, and refuses the rest: a chunk with anything unusual (a time that is a text, a name that is a number,
 * text that is not JSON) is parsed in Python, by `decoding.py` and `recovery.py`, to the same columns. It is built where a C compiler is
 * at hand; without it everything takes that way.
 *
 * What repeats is numbered by a hash of its text of 64 bits, seeded at random: two texts of a trace of a million different ones share
 * one with a probability of 3e-8. Every read is behind a comparison with `end`.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define MOST_DEPTH 64
#define MOST_NAMES 48
#define NO_TIME 1
#define NO_DURATION 2
#define NEGATIVE 4
#define ODD_ID 8

typedef struct {
    uint64_t *keys;
    int32_t *codes;
    size_t mask;
    int32_t used;
} Numbers;

typedef struct {
    char *text;
    Py_ssize_t size;
    int role; /* 0: correlation, 1: external, 2: kept */
} Name;

typedef struct {
    PyObject_HEAD
    Numbers named, placed, kept;
    Name names[MOST_NAMES];
    int name_count;
    signed char first[64], next[MOST_NAMES]; /* names by their size, and the next of the same; -1: none */
    uint64_t seed;
} Scanner;

/* ---- numbers for hashes ---- */

static int
numbers_start(Numbers *n)
{
    n->mask = 1023;
    n->used = 0;
    n->keys = PyMem_Calloc(n->mask + 1, sizeof(uint64_t));
    n->codes = PyMem_Calloc(n->mask + 1, sizeof(int32_t));
    return n->keys != NULL && n->codes != NULL;
}

static void
numbers_end(Numbers *n)
{
    PyMem_Free(n->keys);
    PyMem_Free(n->codes);
    n->keys = NULL;
    n->codes = NULL;
}

static int
numbers_grow(Numbers *n)
{
    size_t mask = n->mask * 2 + 1;
    uint64_t *keys = PyMem_Calloc(mask + 1, sizeof(uint64_t));
    int32_t *codes = PyMem_Calloc(mask + 1, sizeof(int32_t));
    if (keys == NULL || codes == NULL) {
        PyMem_Free(keys);
        PyMem_Free(codes);
        return 0;
    }
    for (size_t i = 0; i <= n->mask; i++) {
        if (n->keys[i] != 0) {
            size_t at = n->keys[i] & mask;
            while (keys[at] != 0) {
                at = (at + 1) & mask;
            }
            keys[at] = n->keys[i];
            codes[at] = n->codes[i];
        }
    }
    numbers_end(n);
    n->keys = keys;
    n->codes = codes;
    n->mask = mask;
    return 1;
}

/* The number of `key`; -1 where memory ends. `is_new` tells whether it is the first of its kind. */
static int32_t
number_of(Numbers *n, uint64_t key, int *is_new)
{
    key += key == 0;
    size_t at = key & n->mask;
    while (n->keys[at] != 0) {
        if (n->keys[at] == key) {
            *is_new = 0;
            return n->codes[at];
        }
        at = (at + 1) & n->mask;
    }
    *is_new = 1;
    if ((size_t)n->used * 2 > n->mask) {
        if (n->used > INT32_MAX / 4 || !numbers_grow(n)) {
            return -1;
        }
        at = key & n->mask;
        while (n->keys[at] != 0) {
            at = (at + 1) & n->mask;
        }
    }
    n->keys[at] = key;
    n->codes[at] = n->used;
    return n->used++;
}

static inline uint64_t
mixed(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ (h >> 32);
}

static inline uint64_t
hashed(uint64_t h, const char *text, Py_ssize_t size)
{
    uint64_t v;
    h = mixed(h, (uint64_t)size);
    for (; size >= 8; text += 8, size -= 8) {
        memcpy(&v, text, 8);
        h = mixed(h, v);
    }
    if (size > 0) {
        v = 0;
        memcpy(&v, text, (size_t)size);
        h = mixed(h, v);
    }
    return h;
}

/* ---- text: each function returns where it stopped, or NULL where the text is not what it should be ---- */

static inline const char *
space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ') {
        return p;
    }
#if defined(__SSE2__)
    if (p < end && (*p == '\n' || *p == ' ')) {
        /* The indentation of a line. */
        const __m128i blank = _mm_set1_epi8(' ');
        for (p++; end - p >= 16; p += 16) {
            int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), blank));
            if (bits != 0xffff) {
                p += __builtin_ctz(~(unsigned)bits);
                break;
            }
        }
    }
#endif
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

/* Behind the closing quote of a text whose opening quote is behind `p`. */
static inline const char *
text_end(const char *p, const char *end)
{
    for (;;) {
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
        while (end - p >= 16) {
            __m128i c = _mm_loadu_si128((const __m128i *)p);
            __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(c, quote), _mm_cmpeq_epi8(c, slash));
            stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_max_epu8(c, control), control));
            int bits = _mm_movemask_epi8(stop);
            if (bits != 0) {
                p += __builtin_ctz((unsigned)bits);
                break;
            }
            p += 16;
        }
#endif
        while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p > 0x1f) {
            p++;
        }
        if (p >= end || (unsigned char)*p <= 0x1f) {
            return NULL;
        }
        if (*p == '"') {
            return p + 1;
        }
        if (end - p < 2 || strchr("\"\\/bfnrtu", p[1]) == NULL || p[1] == 0) {
            return NULL;
        }
        if (p[1] == 'u') {
            if (end - p < 6) {
                return NULL;
            }
            for (int i = 2; i < 6; i++) {
                char c = p[i];
                if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
                    return NULL;
                }
            }
            p += 4;
        }
        p += 2;
    }
}

static inline int
is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static inline const char *
number_end(const char *p, const char *end)
{
    if (p < end && *p == '-') {
        p++;
    }
    if (!is_digit(p, end)) {
        return NULL;
    }
    if (*p == '0') {
        p++;
    } else {
        while (is_digit(p, end)) {
            p++;
        }
    }
    if (p < end && *p == '.') {
        p++;
        if (!is_digit(p, end)) {
            return NULL;
        }
        while (is_digit(p, end)) {
            p++;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        if (!is_digit(p, end)) {
            return NULL;
        }
        while (is_digit(p, end)) {
            p++;
        }
    }
    return p;
}

static inline const char *
plain_end(const char *p, const char *end)
{
    switch (*p) {
    case '"':
        return text_end(p + 1, end);
    case 't':
        return end - p >= 4 && memcmp(p, "true", 4) == 0 ? p + 4 : NULL;
    case 'f':
        return end - p >= 5 && memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
    case 'n':
        return end - p >= 4 && memcmp(p, "null", 4) == 0 ? p + 4 : NULL;
    default:
        return number_end(p, end);
    }
}

/* Behind the key and its colon, at the value. */
static inline const char *
key_end(const char *p, const char *end)
{
    if (p >= end || *p != '"' || (p = text_end(p + 1, end)) == NULL) {
        return NULL;
    }
    p = space(p, end);
    return p < end && *p == ':' ? space(p + 1, end) : NULL;
}

/* Behind any value. Nothing calls itself: what is open stands in `open_`. */
static const char *
value_end(const char *p, const char *end)
{
    char open_[MOST_DEPTH];
    int depth = 0;
    for (;;) {
        if (p >= end) {
            return NULL;
        }
        if (*p == '{' || *p == '[') {
            char close = *p == '{' ? '}' : ']';
            if (depth == MOST_DEPTH) {
                return NULL;
            }
            open_[depth++] = close;
            p = space(p + 1, end);
            if (p < end && *p == close) {
                p++;
                depth--;
            } else {
                if (close == '}' && (p = key_end(p, end)) == NULL) {
                    return NULL;
                }
                continue;
            }
        } else if ((p = plain_end(p, end)) == NULL) {
            return NULL;
        }
        /* Behind a value: what is open goes on or ends. */
        for (;;) {
            if (depth == 0) {
                return p;
            }
            p = space(p, end);
            if (p >= end) {
                return NULL;
            }
            if (*p == ',') {
                p = space(p + 1, end);
                if (open_[depth - 1] == '}' && (p = key_end(p, end)) == NULL) {
                    return NULL;
                }
                break;
            }
            if (*p != open_[depth - 1]) {
                return NULL;
            }
            p++;
            depth--;
        }
    }
}

/* Microseconds with any decimals as nanoseconds, rounded; 0 where it is no plain number, or one that is out of range. */
static int
nanoseconds(const char *p, const char *end, int64_t *found)
{
    int negative = *p == '-', digits = 0;
    int64_t value = 0;
    p += negative;
    for (; is_digit(p, end); p++) {
        value = value * 10 + (*p - '0');
        if (++digits > 16) {
            return 0;
        }
    }
    if (digits == 0 || value > INT64_C(4000000000000000)) {
        return 0;
    }
    value *= 1000;
    if (p < end && *p == '.') {
        int64_t unit = 100;
        for (p++; is_digit(p, end); p++, unit /= 10) {
            if (unit > 0) {
                value += (*p - '0') * unit;
            } else {
                value += *p >= '5'; /* the fourth decimal rounds, and no further one matters */
                while (is_digit(p, end)) {
                    p++;
                }
                break;
            }
        }
    }
    if (p != end) {
        return 0;
    }
    *found = negative ? -value : value;
    return 1;
}

/* A whole number that is an id; 0 where it is none. */
static int
whole(const char *p, const char *end, int64_t *found)
{
    int negative = p < end && *p == '-', digits = 0;
    int64_t value = 0;
    p += negative;
    for (; is_digit(p, end); p++) {
        if (++digits > 18) {
            return 0;
        }
        value = value * 10 + (*p - '0');
    }
    *found = negative ? -value : value;
    return p == end && digits > 0;
}

/* ---- one event ---- */

typedef struct {
    uint64_t named, placed, kept;
    int64_t begin, duration, correlation, external, id;
    const char *args, *args_end;
    int has_kept;
    unsigned char flags;
} Event;

static inline int
is_key(const char *key, Py_ssize_t size, const char *word, Py_ssize_t length)
{
    return size == length && memcmp(key, word, (size_t)length) == 0;
}

/* A member of an object at p: its key, and where its value begins; NULL where there is none. */
static inline const char *
member(const char *p, const char *end, const char **key, Py_ssize_t *size)
{
    if (p >= end || *p != '"') {
        return NULL;
    }
    *key = p + 1;
    if ((p = text_end(p + 1, end)) == NULL) {
        return NULL;
    }
    *size = p - 1 - *key;
    p = space(p, end);
    if (p >= end || *p != ':') {
        return NULL;
    }
    p = space(p + 1, end);
    return p < end ? p : NULL;
}

/* The arguments: an object, of which ids are taken and what is kept is hashed. */
static const char *
arguments(const Scanner *self, const char *p, const char *end, Event *event)
{
    p = space(p + 1, end);
    if (p < end && *p == '}') {
        return p + 1;
    }
    for (;;) {
        const char *key, *value;
        Py_ssize_t size;
        if ((value = member(p, end, &key, &size)) == NULL) {
            return NULL;
        }
        p = *value == '{' || *value == '[' ? value_end(value, end) : plain_end(value, end);
        if (p == NULL) {
            return NULL;
        }
        for (int i = self->first[size & 63]; i >= 0; i = self->next[i]) {
            const Name *name = &self->names[i];
            if (!is_key(key, size, name->text, name->size)) {
                continue;
            }
            if (name->role == 2) {
                event->kept = hashed(mixed(event->kept, (uint64_t)i), value, p - value);
                event->has_kept = 1;
            } else if (!whole(value, p, name->role == 0 ? &event->correlation : &event->external)) {
                return NULL;
            }
            break;
        }
        p = space(p, end);
        if (p >= end) {
            return NULL;
        }
        if (*p == '}') {
            return p + 1;
        }
        if (*p != ',') {
            return NULL;
        }
        p = space(p + 1, end);
    }
}

static const char *
event_end(const Scanner *self, const char *p, const char *end, Event *event)
{
    const char *cat = "", *name = "", *ph = "", *pid = "", *tid = "";
    Py_ssize_t cat_size = 0, name_size = 0, ph_size = 0, pid_size = 0, tid_size = 0;

    event->begin = event->duration = 0;
    event->correlation = event->external = -1;
    event->kept = self->seed;
    event->has_kept = 0;
    event->id = -1;
    event->args = event->args_end = p;
    event->flags = NO_TIME | NO_DURATION;
    if (p >= end || *p != '{') {
        return NULL;
    }
    p = space(p + 1, end);
    if (p < end && *p == '}') {
        p++;
    } else {
        for (;;) {
            const char *key, *value;
            Py_ssize_t size;
            if ((value = member(p, end, &key, &size)) == NULL) {
                return NULL;
            }
            if (is_key(key, size, "args", 4)) {
                if (*value != '{') {
                    return NULL;
                }
                event->correlation = event->external = -1;
                event->kept = self->seed;
                event->has_kept = 0;
                p = arguments(self, value, end, event);
                event->args = value;
                event->args_end = p;
            } else {
                p = value_end(value, end);
            }
            if (p == NULL) {
                return NULL;
            }
            size = is_key(key, size, "args", 4) ? 0 : size;
            if (is_key(key, size, "name", 4) || is_key(key, size, "cat", 3) || is_key(key, size, "ph", 2)) {
                if (*value != '"') {
                    return NULL;
                }
                if (size == 4) {
                    name = value, name_size = p - value;
                } else if (size == 3) {
                    cat = value, cat_size = p - value;
                } else {
                    ph = value, ph_size = p - value;
                }
            } else if (is_key(key, size, "pid", 3) || is_key(key, size, "tid", 3) || is_key(key, size, "id", 2)) {
                int64_t number = -1;
                if (*value != '"' && !whole(value, p, &number)) {
                    return NULL;
                }
                if (*key == 'i') {
                    event->id = number;
                    event->flags |= *value == '"' ? ODD_ID : 0;
                } else if (*key == 'p') {
                    pid = value, pid_size = p - value;
                } else {
                    tid = value, tid_size = p - value;
                }
            } else if (is_key(key, size, "id2", 3)) {
                event->flags |= ODD_ID;
            } else if (is_key(key, size, "ts", 2)) {
                if (!nanoseconds(value, p, &event->begin)) {
                    return NULL;
                }
                event->flags &= (unsigned char)~NO_TIME;
            } else if (is_key(key, size, "dur", 3)) {
                if (!nanoseconds(value, p, &event->duration)) {
                    return NULL;
                }
                event->flags &= (unsigned char)~(NO_DURATION | NEGATIVE);
                if (event->duration < 0) {
                    event->duration = 0;
                    event->flags |= NEGATIVE;
                }
            }
            p = space(p, end);
            if (p >= end) {
                return NULL;
            }
            if (*p == '}') {
                p++;
                break;
            }
            if (*p != ',') {
                return NULL;
            }
            p = space(p + 1, end);
        }
    }
    event->named = hashed(hashed(self->seed, cat, cat_size), name, name_size);
    event->placed = hashed(hashed(hashed(self->seed, ph, ph_size), pid, pid_size), tid, tid_size);
    return p;
}

/* ---- the type ---- */

enum { NAMED, PLACED, BEGIN, DURATION, CORRELATION, EXTERNAL, KEPT, FLAGS, START, STOP, ID, ARGUMENTS, ARGUMENTS_STOP, COLUMNS };
static const int width[COLUMNS] = {4, 4, 8, 8, 8, 8, 4, 1, 4, 4, 8, 4, 4};

static int
columns_resized(PyObject **columns, Py_ssize_t rows)
{
    for (int c = 0; c < COLUMNS; c++) {
        if (columns[c] == NULL) {
            columns[c] = PyByteArray_FromStringAndSize(NULL, rows * width[c]);
            if (columns[c] == NULL) {
                return 0;
            }
        } else if (PyByteArray_Resize(columns[c], rows * width[c]) < 0) {
            return 0;
        }
    }
    return 1;
}

static int
noted(Numbers *numbers, uint64_t key, PyObject *firsts, Py_ssize_t row, int32_t *code)
{
    int is_new;
    *code = number_of(numbers, key, &is_new);
    if (*code < 0) {
        PyErr_NoMemory();
        return 0;
    }
    if (is_new) {
        PyObject *number = PyLong_FromSsize_t(row);
        int failed = number == NULL || PyList_Append(firsts, number) < 0;
        Py_XDECREF(number);
        return !failed;
    }
    return 1;
}

#define COLUMN(c, type) ((type *)PyByteArray_AS_STRING(columns[c]))

static PyObject *
scanner_scan(Scanner *self, PyObject *argument)
{
    Py_buffer view;
    PyObject *columns[COLUMNS] = {NULL}, *firsts[3] = {NULL}, *found = NULL;
    Py_ssize_t row = 0, room = 0;
    if (PyObject_GetBuffer(argument, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    const char *text = view.buf, *end = text + view.len, *p = space(text, end);
    if (view.len > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "a chunk must be smaller than 2 GiB");
        goto done;
    }
    for (int i = 0; i < 3; i++) {
        if ((firsts[i] = PyList_New(0)) == NULL) {
            goto done;
        }
    }
    for (;; row++) {
        Event event;
        if (row == room) {
            room = room * 2 + 1024;
            if (!columns_resized(columns, room)) {
                goto done;
            }
        }
        const char *start = p;
        if ((p = event_end(self, p, end, &event)) == NULL) {
            PyErr_SetString(PyExc_ValueError, "not plain");
            goto done;
        }
        int32_t named, placed, kept = -1;
        if (!noted(&self->named, event.named, firsts[0], row, &named) ||
            !noted(&self->placed, event.placed, firsts[1], row, &placed) ||
            (event.has_kept && !noted(&self->kept, event.kept, firsts[2], row, &kept))) {
            goto done;
        }
        COLUMN(NAMED, int32_t)[row] = named;
        COLUMN(PLACED, int32_t)[row] = placed;
        COLUMN(BEGIN, int64_t)[row] = event.begin;
        COLUMN(DURATION, int64_t)[row] = event.duration;
        COLUMN(CORRELATION, int64_t)[row] = event.correlation;
        COLUMN(EXTERNAL, int64_t)[row] = event.external;
        COLUMN(KEPT, int32_t)[row] = kept;
        COLUMN(FLAGS, unsigned char)[row] = event.flags;
        COLUMN(START, int32_t)[row] = (int32_t)(start - text);
        COLUMN(STOP, int32_t)[row] = (int32_t)(p - text);
        COLUMN(ID, int64_t)[row] = event.id;
        COLUMN(ARGUMENTS, int32_t)[row] = (int32_t)(event.args - text);
        COLUMN(ARGUMENTS_STOP, int32_t)[row] = (int32_t)(event.args_end - text);
        p = space(p, end);
        if (p == end) {
            row++;
            break;
        }
        if (*p != ',') {
            PyErr_SetString(PyExc_ValueError, "not plain");
            goto done;
        }
        p = space(p + 1, end);
    }
    if (columns_resized(columns, row)) {
        found = Py_BuildValue("((OOOOOOOOOOOOO)(OOO))", columns[0], columns[1], columns[2], columns[3], columns[4], columns[5],
                              columns[6], columns[7], columns[8], columns[9], columns[10], columns[11], columns[12], firsts[0],
                              firsts[1], firsts[2]);
    }
done:
    PyBuffer_Release(&view);
    for (int c = 0; c < COLUMNS; c++) {
        Py_XDECREF(columns[c]);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(firsts[i]);
    }
    return found;
}

static int
names_added(Scanner *self, PyObject *names, int role)
{
    PyObject *listed = PySequence_Fast(names, "names must be a sequence");
    if (listed == NULL) {
        return 0;
    }
    int ok = 1;
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(listed); i++) {
        char *text;
        Py_ssize_t size;
        if (self->name_count == MOST_NAMES) {
            PyErr_SetString(PyExc_ValueError, "too many names");
            ok = 0;
        } else if (PyBytes_AsStringAndSize(PySequence_Fast_GET_ITEM(listed, i), &text, &size) < 0) {
            ok = 0;
        } else {
            Name *name = &self->names[self->name_count];
            name->text = PyMem_Malloc((size_t)size + 1);
            if (name->text == NULL) {
                PyErr_NoMemory();
                ok = 0;
            } else {
                memcpy(name->text, text, (size_t)size);
                name->size = size;
                name->role = role;
                self->next[self->name_count] = self->first[size & 63];
                self->first[size & 63] = (signed char)self->name_count;
                self->name_count++;
            }
        }
    }
    Py_DECREF(listed);
    return ok;
}

static void
scanner_dealloc(Scanner *self)
{
    numbers_end(&self->named);
    numbers_end(&self->placed);
    numbers_end(&self->kept);
    for (int i = 0; i < self->name_count; i++) {
        PyMem_Free(self->names[i].text);
    }
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *
scanner_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *words[] = {"correlation", "external", "kept", "seed", NULL};
    PyObject *correlation, *external, *kept;
    unsigned long long seed;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOOK", words, &correlation, &external, &kept, &seed)) {
        return NULL;
    }
    Scanner *self = (Scanner *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->seed = seed;
    memset(self->first, -1, sizeof(self->first));
    if (!numbers_start(&self->named) || !numbers_start(&self->placed) || !numbers_start(&self->kept)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    if (!names_added(self, correlation, 0) || !names_added(self, external, 1) || !names_added(self, kept, 2)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyMethodDef scanner_methods[] = {
    {"scan", (PyCFunction)scanner_scan, METH_O, "Columns of the events in a text that has nothing but events and commas."},
    {NULL},
};

static PyTypeObject scanner_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "cyclescope.importing.parsing.scanning._scan.Scanner",
    .tp_basicsize = sizeof(Scanner),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Numbers what repeats in the events of one trace.",
    .tp_new = scanner_new,
    .tp_dealloc = (destructor)scanner_dealloc,
    .tp_methods = scanner_methods,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_scan",
    .m_size = -1,
};

PyMODINIT_FUNC
PyInit__scan(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made == NULL || PyType_Ready(&scanner_type) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    Py_INCREF(&scanner_type);
    if (PyModule_AddObject(made, "Scanner", (PyObject *)&scanner_type) < 0) {
        Py_DECREF(&scanner_type);
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
