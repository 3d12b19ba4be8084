/* What the parts of the program share. */
#ifndef TIMBRE_BENCH_H
#define TIMBRE_BENCH_H

#include "TIMCloud.h"

#define FUNCTIONS(X) X(TIMInit) X(TIMUninit) X(TIMLogin) X(TIMLogout) X(TIMSetConfig) X(TIMAddRecvNewMsgCallback) \
    X(TIMSetConvEventCallback) X(TIMMsgSendMessage) X(TIMMsgImportMsgList) X(TIMMsgGetMsgList) X(TIMMsgDownloadElemToPath) \
    X(TIMConvGetConvList) X(TIMConvCreate) X(TIMMsgSearchLocalMessages) X(TIMConvGetConversationListByFilter)
#define DECLARE(f) extern __typeof__(&f) p_##f;
FUNCTIONS(DECLARE)
#undef DECLARE

/* Latencies of a phase, sorted when they are printed. */
struct phase {
    double *us, first, last;
    long n, room;
};
void add(struct phase *p, double us, double at);
double quantile(struct phase *p, double q); /* milliseconds */
void print_phase(const char *name, struct phase *p);

double now_us(void);
void die(const char *what, long code);

extern char *result;       /* of the last call() */
extern size_t result_size; /* its length */
void on_result(int32_t code, const char *desc, const char *json, const void *user_data);
double call(const char *what, int accepted, double start); /* waits for on_result; microseconds since start */

extern long done; /* callbacks of sent messages and results, under a lock */
extern long synced, added, arrived; /* Finish events, conversation events before them, messages: likewise */
void count(long *counter, long n);
void wait_until(const long *counter, long want);

void send_phases(const char *peer, long one, long many);
void send_lanes(const char *prefix, long messages);
void history_figures(const char *peer);
void server_history(const char *peer);
void memory_figures(const char *peer);
double resident_mb(void);
void first_page(double start);
void caught_up(double start, long messages);
void file_figures(const char *peer, const char *folder);

#endif
