#include "core.hpp"

double call_twice(const upcall::function<double(double)>& f, double x) { return f(f(x)); }
