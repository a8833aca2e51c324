// The gradient that an optimiser follows: clipped, and with that of the parameter's decay (L2). constants 0 1 2.

#define FOLLOWED_CONSTANTS const REAL scale = constants[0], limit = constants[1], decay = constants[2]
#define FOLLOWED(g, p) NAMED(followed)(scale, limit, decay, g, p)

static inline REAL NAMED(followed)(REAL scale, REAL limit, REAL decay, REAL g, REAL p) {
    g *= scale;
    g = g > limit ? limit : g;
    g = g < -limit ? -limit : g;
    return g + decay * p;
}
