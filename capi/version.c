/* The version text. It stands here and not in Go because it must be valid for ever and be had without entering Go. */
#include "shim.h"

const char *timbre_version(void) { return "8.0.1"; }
