#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>

namespace {

// loop(f, count): the loop of Bench.Callback. METH_FASTCALL, so that not even the call of the loop
// makes a tuple of its arguments.
PyObject* loop(PyObject*, PyObject* const* arguments, Py_ssize_t argument_count) {
  if (argument_count != 2) {
    PyErr_SetString(PyExc_TypeError, "loop takes a function and a count");
    return nullptr;
  }
  PyObject* const f = arguments[0];
  const std::int64_t count = PyLong_AsLongLong(arguments[1]);
  if (count == -1 && PyErr_Occurred()) return nullptr;

  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    PyObject* const x = PyLong_FromLongLong(i & 1023);
    if (!x) return nullptr;
    // A vectorcall, with room for a `self` before the argument.
    PyObject* const result = PyObject_CallOneArg(f, x);
    Py_DECREF(x);
    if (!result) return nullptr;
    const std::int64_t value = PyLong_AsLongLong(result);
    Py_DECREF(result);
    // -1 is a value as well.
    if (value == -1 && PyErr_Occurred()) return nullptr;
    sum = (sum + value) % 1009;
  }
  return PyLong_FromLongLong(sum);
}

// CPython calls it by the flag, not by the type.
PyMethodDef methods[] = {
    {"loop", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&loop)), METH_FASTCALL,
     nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "loop", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_loop() { return PyModule_Create(&module); }
