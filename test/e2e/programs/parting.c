/* parting.c: a server that says BYTES bytes to whoever comes first, and ends with status
 * 7 at once, closing nothing: what is left to do is the kernel's. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    size_t n = strtoul(argv[1], NULL, 10);
    char *text = malloc(n);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (!text || s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 4)) return 1;
    memset(text, 'x', n);
    puts("listening");
    fflush(stdout);
    int c = accept(s, NULL, NULL);
    if (c < 0) return 2;
    _exit(write(c, text, n) == (ssize_t)n ? 7 : 3);
}
