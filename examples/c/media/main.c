/*
 * Media: sends images, sounds, videos and other files to a user, with progress, or receives them.
 *
 *     media receive bob USERSIG FOLDER COUNT         waits for COUNT messages, downloads their files, prints checksums
 *     media send alice USERSIG bob FILE...           photo.jpg, hello.m4a, report.pdf, film.mp4:cover.jpg
 *
 * The app id is taken from TIMBRE_APP, the server from TIM_SERVER_URL. Start the receiver first: a user exists from the
 * first login on. A video takes the image behind the colon as its cover.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media.h"
#include "session.h"

int main(int argc, char **argv) {
    int status;
    if (argc > 5 && strcmp(argv[1], "send") == 0) {
        session_begin(argv[2], argv[3]);
        status = send_files(argv[4], argc - 5, argv + 5);
    } else if (argc == 6 && strcmp(argv[1], "receive") == 0) {
        receive_listen();
        session_begin(argv[2], argv[3]);
        printf("%s is waiting for %s messages\n", argv[2], argv[5]);
        fflush(stdout);
        status = receive_files(argv[4], atoi(argv[5]));
    } else {
        fprintf(stderr, "usage: TIMBRE_APP=ID media send ME USERSIG PEER FILE[:COVER]...\n"
                        "       TIMBRE_APP=ID media receive ME USERSIG FOLDER COUNT\n");
        return 2;
    }
    session_end();
    return status;
}
