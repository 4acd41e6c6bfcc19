/* A cheap server for benchmarks: both dialects' replies and streams, on one core, from memory.
 *
 * server CORE listens on 127.0.0.1, prints the port it got, stays on CORE where the system can pin
 * (-1: anywhere), and ends when its standard input closes.
 *
 * POST .../chat/completions    OpenAI's reply; with "stream":true in the body a stream
 * POST .../messages            Anthropic's, likewise
 * GET  /count                  how many POST requests have come so far
 * GET  /release                sends what /held/ holds back
 * Segments of the path change what comes: /fail/ a 503, /held/ the reply when it is released,
 * /chunks/N/ a stream of N content chunks (500 without).
 *
 * One process, one epoll loop, no allocation for a reply. Every event of a stream is an HTTP chunk
 * of its own, as the providers send them, all in one burst. Checks nothing: not for other uses.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define MAX_EVENTS 256
#define MAX_STREAMS 64
#define DEFAULT_CHUNKS 500
#define MAX_CHUNKS 100000

typedef struct {
    char *data;
    size_t size;
    size_t room;
} Text;

typedef struct Connection {
    int fd;
    Text in;
    const Text *out; /* what is being sent; lives as long as the process */
    size_t sent;
    const Text *later; /* what is held back */
    struct Connection *next; /* in the list of what is held back, or NULL */
    int held;
    int closed; /* freed when it leaves that list */
} Connection;

static const char REPLY_TEXT[] =
    "A fallback is the way a call takes when the first one fails. It is chosen before anything "
    "is sent, so that nothing is lost on the way, and the caller sees who answered in the end.";

static int epoll_fd;
static unsigned long requests;
static Connection *held_back;
static Text openai_reply, anthropic_reply, failure_reply;
static Text openai_streams[MAX_STREAMS], anthropic_streams[MAX_STREAMS];
static long stream_chunks[MAX_STREAMS];
static int stream_count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void reserve(Text *text, size_t more) {
    size_t room = text->room ? text->room : 4096;
    while (room < text->size + more + 1) {
        room *= 2;
    }
    if (room != text->room) {
        text->data = realloc(text->data, room);
        if (text->data == NULL) {
            fail("realloc");
        }
        text->room = room;
    }
}

static void append(Text *text, const char *data, size_t size) {
    reserve(text, size);
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static void append_text(Text *text, const char *data) { append(text, data, strlen(data)); }

/* The head of a reply, with about as many headers as the providers send. */
static void head(Text *reply, const char *status, const char *type, long length) {
    char line[64];
    append_text(reply, "HTTP/1.1 ");
    append_text(reply, status);
    append_text(reply,
                "\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\ncontent-type: ");
    append_text(reply, type);
    if (length >= 0) {
        snprintf(line, sizeof line, "\r\ncontent-length: %ld\r\n", length);
    } else {
        snprintf(line, sizeof line, "\r\ntransfer-encoding: chunked\r\n");
    }
    append_text(reply, line);
    append_text(
        reply,
        "connection: keep-alive\r\n"
        "access-control-expose-headers: X-Request-ID\r\n"
        "organization: benchmark-organization\r\n"
        "processing-ms: 412\r\n"
        "project: proj_benchmark\r\n"
        "version: 2020-10-01\r\n"
        "x-envoy-upstream-service-time: 430\r\n"
        "x-ratelimit-limit-requests: 10000\r\n"
        "x-ratelimit-limit-tokens: 30000000\r\n"
        "x-ratelimit-remaining-requests: 9999\r\n"
        "x-ratelimit-remaining-tokens: 29999976\r\n"
        "x-ratelimit-reset-requests: 6ms\r\n"
        "x-ratelimit-reset-tokens: 0s\r\n"
        "x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
        "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
        "x-content-type-options: nosniff\r\n\r\n");
}

static void whole(Text *reply, const char *status, const char *body) {
    head(reply, status, "application/json", (long)strlen(body));
    append_text(reply, body);
}

static void event(Text *stream, const char *name, const char *data) {
    char frame[1024], size[16];
    int length = name != NULL ? snprintf(frame, sizeof frame, "event: %s\ndata: %s\n\n", name, data)
                              : snprintf(frame, sizeof frame, "data: %s\n\n", data);
    snprintf(size, sizeof size, "%x\r\n", (unsigned)length);
    append_text(stream, size);
    append(stream, frame, (size_t)length);
    append_text(stream, "\r\n");
}

#define OPENAI_CHUNK                                                                              \
    "{\"id\":\"chatcmpl-C2P1wP1damHwC6sXvGAIh5PMvH6wM\",\"object\":\"chat.completion.chunk\","    \
    "\"created\":1754688908,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\","        \
    "\"system_fingerprint\":\"fp_ff25b2783a\",\"choices\":[{\"index\":0,\"delta\":%s,"            \
    "\"logprobs\":null,\"finish_reason\":%s}]}"

static void build_openai_stream(Text *stream, long chunks) {
    char data[512], delta[64];
    head(stream, "200 OK", "text/event-stream; charset=utf-8", -1);
    snprintf(data, sizeof data, OPENAI_CHUNK,
             "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null");
    event(stream, NULL, data);
    for (long i = 0; i < chunks; i++) {
        snprintf(delta, sizeof delta, "{\"content\":\" word%03ld\"}", i % 1000);
        snprintf(data, sizeof data, OPENAI_CHUNK, delta, "null");
        event(stream, NULL, data);
    }
    snprintf(data, sizeof data, OPENAI_CHUNK, "{}", "\"stop\"");
    event(stream, NULL, data);
    event(stream, NULL, "[DONE]");
    append_text(stream, "0\r\n\r\n");
}

static void build_anthropic_stream(Text *stream, long chunks) {
    char data[512];
    head(stream, "200 OK", "text/event-stream; charset=utf-8", -1);
    event(stream, "message_start",
          "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\","
          "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-5-20251101\","
          "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
          "\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}");
    event(stream, "content_block_start",
          "{\"type\":\"content_block_start\",\"index\":0,"
          "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}");
    event(stream, "ping", "{\"type\":\"ping\"}");
    for (long i = 0; i < chunks; i++) {
        snprintf(data, sizeof data,
                 "{\"type\":\"content_block_delta\",\"index\":0,"
                 "\"delta\":{\"type\":\"text_delta\",\"text\":\" word%03ld\"}}",
                 i % 1000);
        event(stream, "content_block_delta", data);
    }
    event(stream, "content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}");
    event(stream, "message_delta",
          "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
          "\"stop_sequence\":null},\"usage\":{\"output_tokens\":500}}");
    event(stream, "message_stop", "{\"type\":\"message_stop\"}");
    append_text(stream, "0\r\n\r\n");
}

static void build_replies(void) {
    char body[2048];
    snprintf(body, sizeof body,
             "{\"id\":\"chatcmpl-C2P1wP1damHwC6sXvGAIh5PMvH6wM\",\"object\":\"chat.completion\","
             "\"created\":1754688908,\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,"
             "\"message\":{\"role\":\"assistant\",\"content\":\"%s\",\"refusal\":null,"
             "\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
             "\"prompt_tokens\":24,\"completion_tokens\":39,\"total_tokens\":63,"
             "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
             "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},"
             "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_ff25b2783a\"}",
             REPLY_TEXT);
    whole(&openai_reply, "200 OK", body);
    snprintf(body, sizeof body,
             "{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\",\"type\":\"message\",\"role\":\"assistant\","
             "\"model\":\"claude-opus-4-5-20251101\",\"content\":[{\"type\":\"text\",\"text\":"
             "\"%s\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{"
             "\"input_tokens\":24,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"
             "\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,"
             "\"ephemeral_1h_input_tokens\":0},\"output_tokens\":39,"
             "\"service_tier\":\"standard\"}}",
             REPLY_TEXT);
    whole(&anthropic_reply, "200 OK", body);
    whole(&failure_reply, "503 Service Unavailable",
          "{\"error\":{\"message\":\"The server is overloaded.\",\"type\":\"server_error\","
          "\"param\":null,\"code\":null}}");
}

/* The stream of so many chunks, built when it is first asked for. */
static const Text *stream_of(long chunks, int anthropic) {
    int i;
    for (i = 0; i < stream_count; i++) {
        if (stream_chunks[i] == chunks) {
            break;
        }
    }
    if (i == MAX_STREAMS) {
        return &failure_reply;
    }
    if (i == stream_count) {
        stream_chunks[stream_count++] = chunks;
        build_openai_stream(&openai_streams[i], chunks);
        build_anthropic_stream(&anthropic_streams[i], chunks);
    }
    return anthropic ? &anthropic_streams[i] : &openai_streams[i];
}

static const Text *count_reply(void) {
    static Text reply;
    char body[32];
    snprintf(body, sizeof body, "%lu", requests);
    reply.size = 0;
    whole(&reply, "200 OK", body);
    return &reply;
}

static int answer(Connection *connection);

static void drop(Connection *connection) {
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    close(connection->fd);
    connection->closed = 1;
    if (!connection->held) {
        free(connection->in.data);
        free(connection);
    }
}

static void watch(Connection *connection, int writing) {
    struct epoll_event wanted = {.events = writing ? EPOLLOUT : EPOLLIN};
    wanted.data.ptr = connection;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &wanted);
}

/* Send what is due; give 0 when the connection is gone. */
static int push(Connection *connection) {
    while (connection->out != NULL) {
        const Text *out = connection->out;
        ssize_t sent = send(connection->fd, out->data + connection->sent,
                            out->size - connection->sent, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                watch(connection, 1);
                return 1;
            }
            drop(connection);
            return 0;
        }
        connection->sent += (size_t)sent;
        if (connection->sent == out->size) {
            connection->out = NULL;
            connection->sent = 0;
        }
    }
    return 1;
}

/* Send what was held back. */
static void release(void) {
    while (held_back != NULL) {
        Connection *connection = held_back;
        held_back = connection->next;
        connection->held = 0;
        if (connection->closed) {
            free(connection->in.data);
            free(connection);
            continue;
        }
        connection->out = connection->later;
        if (push(connection)) {
            answer(connection);
        }
    }
}

/* Choose the reply to a whole request. */
static const Text *reply_to(const char *data, const char *body, size_t body_size, int *hold) {
    char target[256] = "";
    sscanf(data, "%*15s %255s", target);
    *hold = strstr(target, "/held/") != NULL;
    if (strcmp(target, "/release") == 0) {
        release();
        return count_reply();
    }
    if (strcmp(target, "/count") == 0) {
        return count_reply();
    }
    requests++;
    if (strstr(target, "/fail/") != NULL) {
        return &failure_reply;
    }
    int anthropic = strstr(target, "/messages") != NULL;
    if (memmem(body, body_size, "\"stream\":true", 13) != NULL ||
        memmem(body, body_size, "\"stream\": true", 14) != NULL) {
        const char *asked = strstr(target, "/chunks/");
        long chunks = asked != NULL ? atol(asked + strlen("/chunks/")) : DEFAULT_CHUNKS;
        if (chunks < 0 || chunks > MAX_CHUNKS) {
            return &failure_reply;
        }
        return stream_of(chunks, anthropic);
    }
    return anthropic ? &anthropic_reply : &openai_reply;
}

/* Answer the whole requests that have come; give 0 when the connection is gone. */
static int answer(Connection *connection) {
    Text *in = &connection->in;
    while (connection->out == NULL && !connection->held && in->size > 0) {
        char *end = memmem(in->data, in->size, "\r\n\r\n", 4);
        if (end == NULL) {
            return 1;
        }
        size_t head_size = (size_t)(end - in->data) + 4, length = 0;
        *end = '\0';
        const char *field = strcasestr(in->data, "\r\ncontent-length:");
        *end = '\r';
        if (field != NULL) {
            length = strtoul(field + strlen("\r\ncontent-length:"), NULL, 10);
        }
        if (in->size < head_size + length) {
            return 1;
        }
        int hold;
        const Text *reply = reply_to(in->data, in->data + head_size, length, &hold);
        in->size -= head_size + length;
        memmove(in->data, in->data + head_size + length, in->size);
        if (hold) {
            connection->later = reply;
            connection->held = 1;
            connection->next = held_back;
            held_back = connection;
            return 1;
        }
        connection->out = reply;
        if (!push(connection)) {
            return 0;
        }
    }
    return 1;
}

static void pull(Connection *connection) {
    for (;;) {
        reserve(&connection->in, READ_BYTES);
        ssize_t got = recv(connection->fd, connection->in.data + connection->in.size, READ_BYTES, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) {
            drop(connection);
            return;
        }
        if (got > 0) {
            connection->in.size += (size_t)got;
            connection->in.data[connection->in.size] = '\0';
        }
        if (got < READ_BYTES) {
            break;
        }
    }
    answer(connection);
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        Connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) {
            fail("calloc");
        }
        connection->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event wanted = {.events = EPOLLIN};
        wanted.data.ptr = connection;
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &wanted);
    }
}

static int listen_on_loopback(void) {
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        fail("listen");
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: server CORE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int core = atoi(arguments[1]);
    if (core >= 0) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET(core, &cores);
        sched_setaffinity(0, sizeof cores, &cores);
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    build_replies();
    epoll_fd = epoll_create1(0);
    int listener = listen_on_loopback();
    struct epoll_event wanted = {.events = EPOLLIN}, events[MAX_EVENTS];
    wanted.data.ptr = &epoll_fd; /* stands for the listener */
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &wanted);
    wanted.data.ptr = NULL; /* stands for standard input: it closes with whoever started this */
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &wanted);
    for (;;) {
        int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            Connection *connection = events[i].data.ptr;
            if (connection == NULL) {
                return 0;
            }
            if ((void *)connection == (void *)&epoll_fd) {
                accept_all(listener);
            } else if (events[i].events & EPOLLOUT) {
                if (push(connection) && connection->out == NULL) {
                    watch(connection, 0);
                    answer(connection);
                }
            } else {
                pull(connection);
            }
        }
    }
}
