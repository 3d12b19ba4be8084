// exit() inside a callback: it does not wait for itself.
#include "exit_common.h"

static void leave(int32_t, const char *, const char *, const void *) { exit(0); }

int main(int argc, char **argv) {
    start_flood(argc, argv);
    CHECK_INT(TIMConvGetConvList(leave, NULL), TIM_SUCC);
    for (;;) pause();
}
