/*
 * Bad input: texts over 16 MiB, JSON nested 10,000 deep, text after the value, NULL: a clear code at once. Invalid UTF-8,
 * raw control characters, duplicate keys and older key spellings: repaired as documented. Numbers over 2^53: kept digit by
 * digit. The local database is open without a login, so that messages can be saved and read back.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT (16UL << 20)
#define REPLACEMENT "\xef\xbf\xbd"

static int checks;

static void open_storage(void) {
    struct result r = {0};
    init();
    CHECK_INT(callExperimentalAPI("{\"request_internal_operation\":\"internal_operation_init_local_storage\","
                                  "\"request_init_local_storage_user_id_param\":\"garbage_alice\"}", result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    result_clear(&r);
}

static int no_calls;
static void refused(const char *json, int want) {
    CHECK_INT(TIMSetConfig(json, count_came, &no_calls), want);
    CHECK_INT(TIMMsgSaveMsg("bob", kTIMConv_C2C, json, count_came, &no_calls), want);
    CHECK_INT(callExperimentalAPI(json, count_came, &no_calls), want);
    checks += 3;
}

/* Saves a message whose first element is element, and checks what the stored one contains. */
static void saved(const char *element, const char *want, const char *never) {
    struct result r = {0}, found = {0};
    size_t size = strlen(element) + 200;
    char *json = (char *)malloc(size), list[400], *id;
    snprintf(json, size, "{\"message_elem_array\":[%s],\"message_sender\":\"bob\"}", element);
    CHECK_INT(TIMMsgSaveMsg("bob", kTIMConv_C2C, json, result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    if (!strstr(r.json, want)) test_fail(__FILE__, __LINE__, "%.1000s does not contain %s", r.json, want);
    if (never && strstr(r.json, never)) test_fail(__FILE__, __LINE__, "%.1000s contains %s", r.json, never);
    id = strstr(r.json, "\"message_msg_id\":\"") + 18;
    snprintf(list, sizeof list, "[\"%.*s\"]", (int)strcspn(id, "\""), id);
    CHECK_INT(TIMMsgFindMessages(list, result_came, &found), TIM_SUCC);
    CHECK_INT(result_wait(&found), 0);
    if (!strstr(found.json, want)) test_fail(__FILE__, __LINE__, "the stored %.1000s does not contain %s", found.json, want);
    result_clear(&r);
    result_clear(&found);
    free(json);
    checks++;
}

static char *nested(int depth, const char *open, const char *close) {
    size_t a = strlen(open), b = strlen(close);
    char *json = (char *)malloc((size_t)depth * (a + b) + 20), *p = json;
    int i;
    p += sprintf(p, "{\"a\":");
    for (i = 0; i < depth; i++) memcpy(p, open, a), p += a;
    *p++ = '1';
    for (i = 0; i < depth; i++) memcpy(p, close, b), p += b;
    *p++ = '}';
    *p = 0;
    return json;
}

static void depths(void) {
    static const int deep[] = {600, 10000, 1000000};
    size_t i;
    char *json;
    for (i = 0; i < sizeof deep / sizeof *deep; i++) {
        json = nested(deep[i], "[", "]");
        refused(json, TIM_ERR_JSON);
        free(json);
        json = nested(deep[i], "{\"x\":", "}");
        refused(json, TIM_ERR_JSON);
        free(json);
    }
    json = nested(500, "[", "]"); /* within the limit */
    CHECK_INT(TIMSetConfig(json, NULL, NULL), TIM_SUCC);
    free(json);
}

/* A JSON object of exactly size bytes. */
static char *sized(size_t size) {
    char *json = (char *)malloc(size + 1);
    memset(json, 'x', size);
    memcpy(json, "{\"a\":\"", 6);
    memcpy(json + size - 2, "\"}", 3);
    return json;
}

static void sizes(void) {
    static const char start[] = "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"";
    struct result r = {0};
    char *json = sized(MAX_TEXT);
    CHECK_INT(TIMSetConfig(json, result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    CHECK(strcmp(r.json, json) == 0); /* TIMSetConfig echoes */
    result_clear(&r);
    free(json);
    json = sized(MAX_TEXT + 1);
    refused(json, TIM_ERR_PARAM);
    free(json);
    json = sized(4 * MAX_TEXT);
    refused(json, TIM_ERR_PARAM);
    CHECK_INT(TIMLogin(json, json, count_came, &no_calls), TIM_ERR_PARAM);
    CHECK_INT(TIMConvCreate(json, kTIMConv_C2C, count_came, &no_calls), TIM_ERR_PARAM);
    free(json);
    json = sized(MAX_TEXT - 200);
    CHECK_INT(TIMLogin(json, "sig", result_came, &r), TIM_SUCC); /* a user id of 16 MiB */
    CHECK(result_wait(&r) != 0);
    result_clear(&r);
    CHECK_INT(TIMMsgFindMessages("[\"\"]", result_came, &r), TIM_SUCC);
    result_wait(&r);
    result_clear(&r);
    memcpy(json, start, strlen(start));
    memcpy(json + MAX_TEXT - 205, "\"}]}", 5);
    CHECK_INT(TIMMsgSaveMsg("bob", kTIMConv_C2C, json, result_came, &r), TIM_SUCC); /* a text of nearly 16 MiB */
    result_wait(&r);
    result_clear(&r);
    free(json);
    checks += 8;
}

static void broken(void) {
    static const char *const texts[] = {
        "{", "[", "}", "]", "{]", "[}", "\"", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1}}", "{\"a\":1} x", "{}{}", "{} {}",
        "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":NaN}", "{\"a\":tru}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"}", "{'a':1}", "{a:1}", "\xff", "{\"a\":\xff}", "null", "1", "\"text\"",
        "true", "[]", "/* */{}", "\xef\xbb\xbf{"};
    size_t i;
    for (i = 0; i < sizeof texts / sizeof *texts; i++) refused(texts[i], TIM_ERR_JSON);
    refused(NULL, TIM_ERR_PARAM);
}

static void repairs(void) {
    saved("{\"elem_type\":0,\"text_elem_content\":\"a\xff" "b\xc3(\xed\xa0\x80z\"}", "a" REPLACEMENT "b" REPLACEMENT "(", "\xff");
    saved("{\"elem_type\":0,\"text_elem_content\":\"cut \xe4\xbd\"}", "cut " REPLACEMENT, NULL);
    saved("{\"elem_type\":0,\"text_elem_content\":\"line\nnext\ttab\x01\x1f\"}", "line\\", "\n");
    saved("{\"elem_type\":0,\"text_elem_content\":\"first\",\"text_elem_content\":\"last\"}", "\"last\"", "first");
    saved("{\"elem_type\":3,\"elem_type\":0,\"text_elem_content\":\"typed twice\"}", "\"elem_type\":0", "\"elem_type\":3");
    saved("{\"elem_type\":0,\"text_elem_content\":\"\\ud83d\\ude00 \\u4f60 \\ud83d\"}", "\"text_elem_content\":\"", NULL);
    saved("{\"elem_type\":0,\"text_elem_content\":\"\xf0\x9f\x98\x80 \xe4\xbd\xa0\"}", "\xf0\x9f\x98\x80 \xe4\xbd\xa0", NULL);
    saved("{\"elem_type\":0,\"text_elem_content\":\"n\",\"big\":9007199254740993}", "\"big\":9007199254740993", NULL);
    saved("{\"elem_type\":0,\"text_elem_content\":\"n\",\"big\":18446744073709551615}", "18446744073709551615", NULL);
    saved("{\"elem_type\":0,\"text_elem_content\":\"n\",\"big\":-9223372036854775808}", "-9223372036854775808", NULL);
    saved("{\"elem_type\":0,\"text_elem_content\":\"n\",\"big\":123456789012345678901234567890.5e10}", "123456789012345678901234567890.5e10", NULL);
}

static void nulls(void) {
    CHECK_INT(TIMLogin(NULL, NULL, NULL, NULL), TIM_ERR_PARAM);
    CHECK_INT(TIMGetLoginUserID(NULL), TIM_ERR_PARAM);
    CHECK_INT(TIMMsgSendMessage(NULL, kTIMConv_C2C, NULL, NULL, NULL, NULL), TIM_ERR_PARAM);
    CHECK_INT(TIMMsgGetMsgList("bob", kTIMConv_C2C, NULL, NULL, NULL), TIM_ERR_PARAM);
    CHECK_INT(TIMConvGetConvList(NULL, NULL), TIM_SUCC);
    CHECK_INT(TIMSetConfig("{}", NULL, NULL), TIM_SUCC);
    CHECK_INT(TIMSetConfig("", NULL, NULL), TIM_ERR_JSON);
    CHECK_INT(TIMMsgGetMsgList("bob", (enum TIMConvType)12345, "{\"msg_getmsglist_param_count\":1}", NULL, NULL), TIM_SUCC);
    CHECK_INT(TIMInit(0, "{"), TIM_ERR_JSON);
    checks += 9;
}

int main(void) {
    open_storage();
    broken();
    depths();
    sizes();
    repairs();
    nulls();
    drain();
    CHECK_INT(no_calls, 0);
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("garbage", "%d bad inputs: texts over 16 MiB, 10,000 levels, broken JSON and NULL refused at once; UTF-8, control "
            "characters, duplicate keys repaired; numbers over 2^53 kept", checks);
    return 0;
}
