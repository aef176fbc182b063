#pragma once
// How the parts of a name are put together.

// Each feature gives a token or nothing, in plain conditionals: the name is expanded again at each use, so the work is
// done here. Tokens begin with a digit, because no macro of the user's can have such a name.
#define TARTAN_TAG_JOIN_(a, b, c, d, e, f, g, h) a##b##c##d##e##f##g##h
#define TARTAN_TAG_JOIN(a, b, c, d, e, f, g, h) TARTAN_TAG_JOIN_(a, b, c, d, e, f, g, h)
