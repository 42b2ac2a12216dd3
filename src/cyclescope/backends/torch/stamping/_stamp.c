/* Stamps without a Python frame: a callable that reads the clock, calls what it stands for, and reads the clock again.
 *
 * A wrapper in Python costs a third of a microsecond where every cache is warm, and several microseconds behind a large
 * matrix product, where the interpreter finds its caches emptied. This one touches a few lines of memory. It is built
 * where a C compiler is at hand; without it the wrappers in `recorder.py` do the same, at their price.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifndef __linux__
#error "perf_counter_ns reads CLOCK_MONOTONIC on Linux only; elsewhere the wrappers in Python are used"
#endif

static inline int64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* the clock of time.perf_counter_ns */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Records: rows of key, begin, end in one block of memory, which numpy can read in place. Records that were given clocks
 * of processor time also hold the sum of those clocks at begin and at end. */

#define MOST_COLUMNS 5

typedef struct {
    PyObject_HEAD
    int64_t *rows;
    clockid_t *clocks;
    Py_ssize_t clock_count;
    Py_ssize_t columns; /* 3, or 5 with clocks */
    Py_ssize_t used; /* rows */
    Py_ssize_t room; /* rows */
    Py_ssize_t exports;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
} Records;

typedef struct {
    int64_t wall;
    int64_t processor;
} Stamp;

/* The wall clock first, then the others: so both lie on the same side of what they cost. */
static inline Stamp
stamp(const Records *self)
{
    Stamp taken = {now_ns(), 0};
    for (Py_ssize_t i = 0; i < self->clock_count; i++) {
        struct timespec t;
        if (clock_gettime(self->clocks[i], &t) == 0) { /* the clock of a thread that has ended fails, and time runs back */
            taken.processor += (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
        }
    }
    return taken;
}

static int
records_put(Records *self, int64_t key, Stamp begin, Stamp end)
{
    if (self->used == self->room) {
        if (self->exports) {
            PyErr_SetString(PyExc_BufferError, "the records are being read");
            return -1;
        }
        Py_ssize_t room = self->room * 2;
        int64_t *rows = PyMem_RawRealloc(self->rows, (size_t)(room * self->columns) * sizeof(int64_t));
        if (rows == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->rows = rows;
        self->room = room;
    }
    int64_t *row = self->rows + self->used * self->columns;
    row[0] = key;
    row[1] = begin.wall;
    row[2] = end.wall;
    if (self->clock_count) {
        row[3] = begin.processor;
        row[4] = end.processor;
    }
    self->used++;
    return 0;
}

static PyObject *
records_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t room = 4096;
    PyObject *clocks = NULL;
    static char *names[] = {"room", "clocks", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|nO!", names, &room, &PyTuple_Type, &clocks)) {
        return NULL;
    }
    if (room < 1 || room > PY_SSIZE_T_MAX / 64) {
        PyErr_SetString(PyExc_ValueError, "room for at least one record");
        return NULL;
    }
    Records *self = (Records *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->clock_count = clocks == NULL ? 0 : PyTuple_GET_SIZE(clocks);
    self->columns = self->clock_count ? MOST_COLUMNS : 3;
    self->rows = PyMem_RawMalloc((size_t)(room * self->columns) * sizeof(int64_t));
    self->clocks = PyMem_RawMalloc((size_t)self->clock_count * sizeof(clockid_t));
    if (self->rows == NULL || self->clocks == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < self->clock_count; i++) {
        long clock = PyLong_AsLong(PyTuple_GET_ITEM(clocks, i));
        if (clock == -1 && PyErr_Occurred()) {
            Py_DECREF(self);
            return NULL;
        }
        self->clocks[i] = (clockid_t)clock;
    }
    self->room = room;
    return (PyObject *)self;
}

static void
records_dealloc(Records *self)
{
    PyMem_RawFree(self->rows);
    PyMem_RawFree(self->clocks);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *
records_clear(Records *self, PyObject *Py_UNUSED(ignored))
{
    self->used = 0;
    Py_RETURN_NONE;
}

static Py_ssize_t
records_length(Records *self)
{
    return self->used;
}

static int
records_getbuffer(Records *self, Py_buffer *view, int flags)
{
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "records are for reading");
        return -1;
    }
    self->shape[0] = self->used;
    self->shape[1] = self->columns;
    self->strides[0] = self->columns * (Py_ssize_t)sizeof(int64_t);
    self->strides[1] = sizeof(int64_t);
    view->obj = Py_NewRef((PyObject *)self);
    view->buf = self->rows;
    view->len = self->used * self->columns * (Py_ssize_t)sizeof(int64_t);
    view->readonly = 1;
    view->itemsize = sizeof(int64_t);
    view->format = (flags & PyBUF_FORMAT) ? "q" : NULL;
    view->ndim = 2;
    view->shape = self->shape;
    view->strides = self->strides;
    view->suboffsets = NULL;
    view->internal = NULL;
    self->exports++;
    return 0;
}

static void
records_releasebuffer(Records *self, Py_buffer *Py_UNUSED(view))
{
    self->exports--;
}

static PyMethodDef records_methods[] = {
    {"clear", (PyCFunction)records_clear, METH_NOARGS, "Forget all records and keep their memory."},
    {NULL, NULL, 0, NULL},
};

static PySequenceMethods records_as_sequence = {.sq_length = (lenfunc)records_length};
static PyBufferProcs records_as_buffer = {
    .bf_getbuffer = (getbufferproc)records_getbuffer,
    .bf_releasebuffer = (releasebufferproc)records_releasebuffer,
};

static PyTypeObject RecordsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cyclescope.backends.torch.stamping._stamp.Records",
    .tp_doc = "Rows of key, begin and end (nanoseconds); numpy reads them in place as int64 [rows, 3]. With "
              "clocks (ids of clock_gettime) also their sum at begin and end: [rows, 5].",
    .tp_basicsize = sizeof(Records),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = records_new,
    .tp_dealloc = (destructor)records_dealloc,
    .tp_methods = records_methods,
    .tp_as_sequence = &records_as_sequence,
    .tp_as_buffer = &records_as_buffer,
};

/* Wrapper: stands for one callable. */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *call;
    Records *records;
    int64_t key;
} Wrapper;

static PyObject *
wrapper_vectorcall(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Wrapper *self = (Wrapper *)object;
    Stamp begin = stamp(self->records);
    PyObject *result = PyObject_Vectorcall(self->call, args, nargsf, names);
    Stamp end = stamp(self->records);
    if (result != NULL && records_put(self->records, self->key, begin, end) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
wrapper_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *call;
    Records *records;
    long long key;
    static char *names[] = {"call", "key", "records", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OLO!", names, &call, &key, &RecordsType, &records)) {
        return NULL;
    }
    if (!PyCallable_Check(call)) {
        PyErr_SetString(PyExc_TypeError, "a wrapper stands for something that can be called");
        return NULL;
    }
    Wrapper *self = (Wrapper *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = wrapper_vectorcall;
    self->call = Py_NewRef(call);
    self->records = (Records *)Py_NewRef((PyObject *)records);
    self->key = key;
    return (PyObject *)self;
}

static int
wrapper_traverse(Wrapper *self, visitproc visit, void *arg)
{
    Py_VISIT(self->call);
    return 0;
}

static int
wrapper_clear(Wrapper *self)
{
    Py_CLEAR(self->call);
    return 0;
}

static void
wrapper_dealloc(Wrapper *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->call);
    Py_CLEAR(self->records);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* On a class a wrapper binds like the function that it stands for. */
static PyObject *
wrapper_get(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, instance);
}

/* Inspection of a wrapper (its signature, its name) finds those of the wrapped callable. */
static PyObject *
wrapper_getattro(PyObject *object, PyObject *name)
{
    PyObject *own = PyObject_GenericGetAttr(object, name);
    if (own != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return own;
    }
    PyErr_Clear();
    return PyObject_GetAttr(((Wrapper *)object)->call, name);
}

static PyObject *
wrapper_wrapped(Wrapper *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->call);
}

static PyGetSetDef wrapper_getset[] = {
    {"__wrapped__", (getter)wrapper_wrapped, NULL, "What the wrapper stands for.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject WrapperType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cyclescope.backends.torch.stamping._stamp.Wrapper",
    .tp_basicsize = sizeof(Wrapper),
    .tp_vectorcall_offset = offsetof(Wrapper, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_new = wrapper_new,
    .tp_dealloc = (destructor)wrapper_dealloc,
    .tp_traverse = (traverseproc)wrapper_traverse,
    .tp_clear = (inquiry)wrapper_clear,
    .tp_descr_get = wrapper_get,
    .tp_getattro = wrapper_getattro,
    .tp_getset = wrapper_getset,
};

static struct PyModuleDef stamp_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_stamp",
    .m_doc = "Stamps without a Python frame.",
    .m_size = -1,
};

PyMODINIT_FUNC
PyInit__stamp(void)
{
    if (PyType_Ready(&RecordsType) < 0 || PyType_Ready(&WrapperType) < 0) {
        return NULL;
    }
    PyObject *module = PyModule_Create(&stamp_module);
    if (module == NULL) {
        return NULL;
    }
    if (PyModule_AddObjectRef(module, "Records", (PyObject *)&RecordsType) < 0
        || PyModule_AddObjectRef(module, "Wrapper", (PyObject *)&WrapperType) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
