//go:build ignore

/*
 * One side of the fault test: sends texts to its peer without end, keeps a journal of everything that the library told
 * it, and answers commands on its standard input.
 *
 *     client USER PEER TICKET FOLDER JOURNAL [RATE]
 *
 * (The first line keeps the go command away from this file: the folder is also a Go program.)
 *
 * The journal is opened with O_APPEND and every line is one write(), so a SIGKILL at any time leaves whole lines. Each
 * begins with the time in milliseconds:
 *     S RUN            the process has started         L CODE           a login has ended
 *     I CONTENT        about to send                   A CONTENT ID     the call returned 0
 *     X CONTENT CODE   the call was refused            C CONTENT CODE   the send's callback
 *     R CONTENT        a message arrived               U CONTENT        a message changed
 *     D CODE           a download has ended
 *     r CODE           a read report has ended         N STATUS CODE    the connection changed
 *     K, E             kicked, ticket expired          Q                logged out
 *
 * Commands, each answered by lines of JSON of which the last holds "end":
 *     go       send from now on (as soon as the login has succeeded)
 *     quiet    stop sending, answer when every callback has come
 *     local    the history as the database has it, and the unread count
 *     dump     the same, and before it the history merged with the server's
 *     file PATH        send a file; its content in the journal is its name
 *     fetch ID PATH    download a file; of both only the journal tells
 *     read     report everything as read, answer with the result
 *     quit     log out, uninit, end
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "TIMCloud.h"

#define TICK_MS 10
#define MAX_PENDING 300
#define PAGE 100

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int pending;                                /* sends and read reports without their callback */
static enum { LOGGED_OUT, LOGGING_IN, LOGGED_IN } login;
static int logins_failed;

static const char *user, *peer, *ticket;
static int journal = -1;
static long long run;

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Appends a line to the journal. */
static void put(const char *format, ...) {
    char line[512];
    va_list args;
    int n = snprintf(line, sizeof line, "%lld ", now_ms());
    va_start(args, format);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    va_end(args);
    line[n++] = '\n';
    if (write(journal, line, (size_t)n) != n) _exit(3);
}

static void add(int n) {
    pthread_mutex_lock(&lock);
    pending += n;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

/* ---- events ---- */

/* Notes the content of every message in a JSON array. The contents are plain ASCII. */
static void note_all(char kind, const char *json) {
    static const char *const keys[] = {"\"text_elem_content\":\"", "\"file_elem_file_name\":\""};
    const char *at;
    int k;
    for (k = 0; k < 2; k++) {
        for (at = strstr(json, keys[k]); at != NULL; at = strstr(at, keys[k])) {
            at += strlen(keys[k]);
            put("%c %.*s", kind, (int)strcspn(at, "\""), at);
        }
    }
}

static void on_messages(const char *json, const void *data) { (void)data; note_all('R', json); }
static void on_update(const char *json, const void *data) { (void)data; note_all('U', json); }
static void on_kicked(const void *data) { (void)data; put("K"); }
static void on_expired(const void *data) { (void)data; put("E"); }

static void on_network(enum TIMNetworkStatus status, int32_t code, const char *desc, const void *data) {
    (void)desc; (void)data;
    put("N %d %d", (int)status, (int)code);
}

/* ---- calls that nobody waits for ---- */

static void on_login(int32_t code, const char *desc, const char *json, const void *data) {
    (void)desc; (void)json; (void)data;
    put("L %d", (int)code);
    pthread_mutex_lock(&lock);
    login = code == 0 ? LOGGED_IN : LOGGED_OUT;
    if (code != 0) logins_failed++;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

static void on_sent(int32_t code, const char *desc, const char *json, const void *data) {
    char *content = (char *)(size_t)data;
    (void)desc; (void)json;
    put("C %s %d", content, (int)code);
    free(content);
    add(-1);
}

static void on_read(int32_t code, const char *desc, const char *json, const void *data) {
    (void)desc; (void)json; (void)data;
    put("r %d", (int)code);
    add(-1);
}

/* Sends a text, or with a path the file there; the content is the text, or the file's name. */
static void send_one(const char *path) {
    static long n;
    char message[768], id[128] = "";
    char *content = malloc(96), *copy;
    int code;
    snprintf(content, 96, "%s-%lld-%ld", user, run, ++n);
    copy = strdup(content); /* the callback may come, and free its content, before the call returns */
    if (path == NULL) {
        snprintf(message, sizeof message, "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"%s\"}]}", content);
    } else {
        snprintf(message, sizeof message, "{\"message_elem_array\":[{\"elem_type\":4,\"file_elem_file_name\":\"%s\","
                 "\"file_elem_file_path\":\"%s\"}]}", content, path);
    }
    put("I %s", copy);
    add(1);
    code = TIMMsgSendMessage(peer, kTIMConv_C2C, message, id, on_sent, content);
    if (code == TIM_SUCC) {
        put("A %s %s", copy, id);
    } else {
        put("X %s %d", copy, code);
        add(-1);
        free(content);
    }
    free(copy);
}

static void on_fetched(int32_t code, const char *desc, const char *json, const void *data) {
    (void)json; (void)data;
    if (strcmp(desc, "downloading") != 0) put("D %d", (int)code);
}

static void fetch(const char *id, const char *path) {
    char param[256];
    snprintf(param, sizeof param, "{\"msg_download_elem_param_type\":1,\"msg_download_elem_param_id\":\"%s\"}", id);
    if (TIMMsgDownloadElemToPath(param, path, on_fetched, NULL) != TIM_SUCC) put("D -1");
}

static void report_read(void) {
    add(1);
    if (TIMMsgReportReaded(peer, kTIMConv_C2C, NULL, on_read, NULL) != TIM_SUCC) add(-1);
}

/* ---- calls that main() waits for ---- */

static struct { int done, code; char *json; } answer;

static void on_answer(int32_t code, const char *desc, const char *json, const void *data) {
    (void)desc; (void)data;
    pthread_mutex_lock(&lock);
    answer.done = 1;
    answer.code = (int)code;
    free(answer.json);
    answer.json = strdup(json == NULL ? "" : json);
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

/* Waits for the callback of a call that returned `accepted` and gives its code. */
static int await(int accepted) {
    if (accepted != TIM_SUCC) return accepted;
    pthread_mutex_lock(&lock);
    while (!answer.done) pthread_cond_wait(&change, &lock);
    answer.done = 0;
    pthread_mutex_unlock(&lock);
    return answer.code;
}

/* The end of the JSON value that begins at p: behind the bracket that closes it. */
static const char *value_end(const char *p) {
    int depth = 0, inside = 0;
    for (; *p; p++) {
        if (inside) {
            if (*p == '\\' && p[1]) p++;
            else if (*p == '"') inside = 0;
        } else if (*p == '"') inside = 1;
        else if (*p == '{' || *p == '[') depth++;
        else if ((*p == '}' || *p == ']') && --depth == 0) return p + 1;
    }
    return p;
}

/* Prints the history newest first, page by page; returns a code. */
static int print_history(const char *name, int cloud) {
    char *last = NULL;
    for (;;) {
        size_t size = 256 + (last == NULL ? 0 : strlen(last));
        char *param = malloc(size);
        const char *p;
        int n = 0, code;
        snprintf(param, size, "{\"msg_getmsglist_param_count\":%d,\"msg_getmsglist_param_is_ramble\":%s%s%s}", PAGE,
                 cloud ? "true" : "false", last == NULL ? "" : ",\"msg_getmsglist_param_last_msg\":", last == NULL ? "" : last);
        code = await(TIMMsgGetMsgList(peer, kTIMConv_C2C, param, on_answer, NULL));
        free(param);
        free(last);
        last = NULL;
        if (code != 0) return code;
        for (p = answer.json + 1; *p == '{'; n++) {
            const char *end = value_end(p);
            printf("{\"%s\":%.*s}\n", name, (int)(end - p), p);
            free(last);
            last = malloc((size_t)(end - p) + 1);
            memcpy(last, p, (size_t)(end - p));
            last[end - p] = 0;
            p = *end == ',' ? end + 1 : end;
        }
        if (n == 0) return 0;
    }
}

static long unread(void) {
    char param[160];
    const char *at;
    snprintf(param, sizeof param,
             "[{\"get_conversation_list_param_conv_id\":\"%s\",\"get_conversation_list_param_conv_type\":1}]", peer);
    if (await(TIMConvGetConvInfo(param, on_answer, NULL)) != 0) return -1;
    at = strstr(answer.json, "\"conv_unread_num\":");
    return at == NULL ? 0 : atol(at + strlen("\"conv_unread_num\":"));
}

static void end(int code) {
    printf("{\"end\":%d}\n", code);
    fflush(stdout);
}

/* ---- commands ---- */

static int sending, quitting;

static void obey(const char *command) {
    char id[128], path[384];
    int code = 0;
    if (strcmp(command, "go") == 0) {
        sending = 1;
        end(0);
    } else if (strcmp(command, "quiet") == 0) {
        sending = 0;
        pthread_mutex_lock(&lock);
        while (pending > 0) pthread_cond_wait(&change, &lock);
        pthread_mutex_unlock(&lock);
        end(0);
    } else if (strcmp(command, "local") == 0 || strcmp(command, "dump") == 0) {
        if (command[0] == 'd') code = print_history("cloud", 1);
        if (code == 0) code = print_history("local", 0);
        printf("{\"unread\":%ld}\n", unread());
        end(code);
    } else if (sscanf(command, "file %383s", path) == 1) {
        send_one(path);
    } else if (sscanf(command, "fetch %127s %383s", id, path) == 2) {
        fetch(id, path);
    } else if (strcmp(command, "read") == 0) {
        end(await(TIMMsgReportReaded(peer, kTIMConv_C2C, NULL, on_answer, NULL)));
    } else if (strcmp(command, "quit") == 0) {
        quitting = 1;
        code = await(TIMLogout(on_answer, NULL));
        TIMUninit();
        put("Q");
        end(code);
    } else {
        end(-1);
    }
}

/* Waits up to ms for commands and obeys them; the end of the input is a quit. */
static void commands(int ms) {
    static char line[600];
    static size_t have;
    struct pollfd in = {0, POLLIN, 0};
    char *nl;
    ssize_t n;
    if (poll(&in, 1, ms) <= 0) return;
    n = read(0, line + have, sizeof line - 1 - have);
    if (n <= 0) {
        if (!quitting) obey("quit");
        quitting = 1;
        return;
    }
    have += (size_t)n;
    line[have] = 0;
    while (!quitting && (nl = strchr(line, '\n')) != NULL) {
        *nl = 0;
        obey(line);
        have -= (size_t)(nl + 1 - line);
        memmove(line, nl + 1, have + 1);
    }
}

static void log_in(void) {
    int code;
    pthread_mutex_lock(&lock);
    login = LOGGING_IN;
    pthread_mutex_unlock(&lock);
    code = TIMLogin(user, ticket, on_login, NULL);
    if (code != TIM_SUCC) put("L %d", code);
}

int main(int argc, char **argv) {
    char config[1024];
    int rate, told = 0;
    long ticks = 0;
    if (argc < 6 || getenv("TIMBRE_APP") == NULL) {
        fprintf(stderr, "usage: TIMBRE_APP=ID client USER PEER TICKET FOLDER JOURNAL [RATE]\n");
        return 2;
    }
    user = argv[1];
    peer = argv[2];
    ticket = argv[3];
    rate = argc > 6 ? atoi(argv[6]) : 150;
    journal = open(argv[5], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (journal < 0) return 2;
    run = now_ms();
    srand((unsigned)run);
    put("S %lld", run);

    TIMAddRecvNewMsgCallback(on_messages, NULL);
    TIMSetMsgUpdateCallback(on_update, NULL);
    TIMSetKickedOfflineCallback(on_kicked, NULL);
    TIMSetUserSigExpiredCallback(on_expired, NULL);
    TIMSetNetworkStatusListenerCallback(on_network, NULL);
    snprintf(config, sizeof config, "{\"sdk_config_config_file_path\":\"%s\",\"sdk_config_log_file_path\":\"%s\"}", argv[4], argv[4]);
    if (TIMInit(strtoull(getenv("TIMBRE_APP"), NULL, 10), config) != TIM_SUCC) return 1;
    if (await(callExperimentalAPI("{\"request_internal_operation\":\"internal_operation_set_packet_request_timeout\","
                                  "\"request_set_packet_request_timeout_param\":5}", on_answer, NULL)) != 0) return 1;
    log_in();
    while (!quitting) {
        int state, open, k;
        commands(TICK_MS);
        pthread_mutex_lock(&lock);
        state = login;
        open = pending;
        pthread_mutex_unlock(&lock);
        ticks++;
        if (state == LOGGED_OUT && !quitting && ticks % 10 == 0) log_in();
        if (state == LOGGED_IN && !told) {
            told = 1;
            printf("{\"ready\":true}\n");
            fflush(stdout);
        }
        if (state != LOGGED_IN || !sending || quitting) continue;
        /* in bursts: on average RATE a second */
        k = rate * TICK_MS / 1000 > 0 ? rand() % (2 * rate * TICK_MS / 1000 + 1) : rand() % 2;
        for (; k > 0 && open < MAX_PENDING; k--, open++) send_one(NULL);
        if (rand() % 60 == 0) report_read();
    }
    free(answer.json);
    return 0;
}
