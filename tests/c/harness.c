/* The part of the harness that calls the library. */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void drain(void) {
    struct result r = {0};
    CHECK_INT(TIMSetConfig("{}", result_came, &r), TIM_SUCC);
    result_wait(&r);
    result_clear(&r);
}

uint64_t app(void) {
    const char *id = getenv("TIMBRE_APP");
    return id ? strtoull(id, NULL, 10) : 1400000001;
}

void init(void) {
    char config[512];
    snprintf(config, sizeof config, "{\"%s\":\"%s/log\",\"%s\":\"%s/data\"}", kTIMSdkConfigLogFilePath, folder(),
             kTIMSdkConfigConfigFilePath, folder());
    CHECK_INT(TIMInit(app(), config), TIM_SUCC);
}

void ticket(const char *user, char *buffer, size_t size) {
    char command[512];
    FILE *p;
    const char *program = getenv("TIMBRED"), *id = getenv("TIMBRE_APP"), *secret = getenv("TIMBRE_SECRET");
    if (!program || !id || !secret) test_fail(__FILE__, __LINE__, "no server: run this under tests/with_server.sh");
    snprintf(command, sizeof command, "'%s' usersig --app %s:%s --user '%s'", program, id, secret, user);
    p = popen(command, "r");
    if (p == NULL || fgets(buffer, (int)size, p) == NULL) test_fail(__FILE__, __LINE__, "%s gave nothing", command);
    if (pclose(p) != 0) test_fail(__FILE__, __LINE__, "%s failed", command);
    buffer[strcspn(buffer, "\r\n")] = 0;
}

void login(const char *user) {
    char sig[2048];
    struct result r = {0};
    ticket(user, sig, sizeof sig);
    CHECK_INT(TIMLogin(user, sig, result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    CHECK_INT(TIMGetLoginStatus(), kTIMLoginStatus_Logined);
    result_clear(&r);
}

void logout(void) {
    struct result r = {0};
    CHECK_INT(TIMLogout(result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    result_clear(&r);
}

char *text_message(const char *text) {
    size_t size = strlen(text) + 256;
    char *json = (char *)malloc(size);
    snprintf(json, size, "{\"%s\":[{\"%s\":0,\"%s\":\"%s\"}]}", kTIMMsgElemArray, kTIMElemType, kTIMTextElemContent, text);
    return json;
}

void peer_sends(const char *user, const char *target, int count) {
    char self[400], command[512], *end;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) test_fail(__FILE__, __LINE__, "readlink: %s", strerror(errno));
    self[n] = 0;
    end = strrchr(self, '/');
    *end = 0;
    snprintf(command, sizeof command, "'%.380s/peer' %s %s %d", self, user, target, count);
    CHECK_INT(system(command), 0);
}
