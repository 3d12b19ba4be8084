// main returns while callbacks run into the host's objects.
#include "exit_common.h"

int main(int argc, char **argv) {
    start_flood(argc, argv);
    return 0;
}
