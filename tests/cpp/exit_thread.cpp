// exit() on a second thread while callbacks run into the host's objects. The library cannot come before the destructors of
// objects that were made after its last registration when exit() runs on a thread other than the main one, so the host sets
// a callback once more after it has made its late object, as an application with a singleton per screen does.
#include "exit_common.h"

static void *leave(void *) {
    exit(0);
    return NULL;
}

int main(int argc, char **argv) {
    start_flood(argc, argv);
    TIMSetNetworkStatusListenerCallback(network_came, NULL);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, leave, NULL), 0);
    pthread_join(thread, NULL); // never returns
    return 1;
}
