/* Sums on several threads: needs libgomp.so.1. */
#include <Python.h>

static PyObject *total(PyObject *self, PyObject *argument) {
    long sum = 0, last = PyLong_AsLong(argument);
#pragma omp parallel for reduction(+ : sum)
    for (long i = 1; i <= last; i++) sum += i;
    return PyLong_FromLong(sum);
}

static PyMethodDef methods[] = {{"total", total, METH_O, NULL}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "parallel", NULL, -1, methods};

PyMODINIT_FUNC PyInit_parallel(void) { return PyModule_Create(&module); }
