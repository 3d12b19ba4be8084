/* A stranger's program: it knows TIMCloud.h and libImSDK.so and nothing of this project's folders. */
#include <TIMCloud.h>
#include <stdio.h>

int main(void) {
    puts(TIMGetSDKVersion());
    return 0;
}
