// Takes back the definitions of scalar_float.h or scalar_double.h, so that the other can follow.
#undef REAL
#undef BITS
#undef NAMED
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef LARGEST
#undef LOG2E
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_OVERFLOW
#undef EXP_UNDERFLOW
#undef TANH_ONE
#undef FOLLOWED_CONSTANTS
#undef FOLLOWED
