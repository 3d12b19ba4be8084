#ifndef MEDIA_H
#define MEDIA_H

/* Sends each file to the peer as what its name says it is. Returns the exit status. */
int send_files(const char *peer, int count, char **paths);

/* Downloads the files of the next `count` messages into a folder and prints their checksums. Returns the exit status.
 * receive_listen must come before the login, so that no message is missed. */
void receive_listen(void);
int receive_files(const char *folder, int count);

#endif
