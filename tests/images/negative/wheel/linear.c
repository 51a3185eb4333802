/* Calls Fortran, whose output formats need libgfortran.so.5. */
#include <Python.h>

extern void dot_text_(char *text, long length);

static PyObject *dot(PyObject *self, PyObject *unused) {
    char text[8];
    dot_text_(text, sizeof text);
    return PyUnicode_FromStringAndSize(text, sizeof text);
}

static PyMethodDef methods[] = {{"dot", dot, METH_NOARGS, NULL}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "linear", NULL, -1, methods};

PyMODINIT_FUNC PyInit_linear(void) { return PyModule_Create(&module); }
