#pragma once

#include <upcall.hpp>

double call_twice(const upcall::function<double(double)>& f, double x);
