// SPDX-License-Identifier: Apache-2.0
// The ceiling for the HTTP figures: an epoll server of one thread that answers fixed bytes to
// whatever ends in an empty line. Prints the port it took and runs until it is killed.
//   epoll_server [BODY_BYTES]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, READ_SIZE = 16384, RESPONSE_MAX = 65536 };

static char response[RESPONSE_MAX];
static size_t response_size;

static void make_response(size_t body_size) {
    if (body_size > RESPONSE_MAX - 256) body_size = RESPONSE_MAX - 256;
    int head = snprintf(response, sizeof response,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        body_size);
    memset(response + head, 'x', body_size);
    response_size = (size_t)head + body_size;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_somewhere(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) die("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, descriptor);
    }
}

// The load generator sends one request at a time, whole.
static void serve(int descriptor) {
    static char input[READ_SIZE];
    ssize_t got = read(descriptor, input, sizeof input);
    if (got <= 0) {
        close(descriptor);
        return;
    }
    if (got < 4 || memcmp(input + got - 4, "\r\n\r\n", 4) != 0) return;
    if (write(descriptor, response, response_size) != (ssize_t)response_size) close(descriptor);
}

int main(int argc, char **argv) {
    make_response(argc > 1 ? strtoul(argv[1], NULL, 10) : 200);
    int listener = listen_somewhere();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                serve(events[i].data.fd);
        }
    }
}
