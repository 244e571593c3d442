/* One link between two network namespaces: rate, queue, burst, delay, jitter and loss, each direction for itself.
 *
 * A TUN device stands in each namespace; what the kernel sends into one is read here, held for as long as the link would
 * hold it, and written into the other. A TUN device without a virtio header merges and splits nothing, so every packet is
 * an IP packet of at most one MTU, and its length is what the rate is charged for.
 *
 * The way of a packet: arrival -> (cut?) -> (lost by the seed?) -> (queue full?) -> queue -> transmitter -> delay -> out.
 * Each packet's time of departure is computed from that of the packet before it, never from when this process woke up, so
 * a late wake-up shifts one packet and never the rate. Order is kept: jitter delays, it does not overtake.
 *
 * Usage: forwarder CONTROL_FD NAMESPACE_A DEVICE_A NAMESPACE_B DEVICE_B
 * Direction 0 goes from B to A, direction 1 from A to B. CONTROL_FD is a SOCK_SEQPACKET socket; each request has one
 * answer. The process ends when the other end of the socket is closed, and the devices vanish with it.
 *
 *   shape DIRECTION RATE_BPS DELAY_NS JITTER_NS LOSS_RATIO QUEUE_BYTES BURST_BYTES BURST_RATE_BPS SEED   -> ok
 *   cut | restore                                                                                        -> ok
 *   counters                                                              -> one line for each direction, see report()
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PACKET_BYTES = 65535, READS_A_TURN = 64, LATE_NS = 1000000, NEVER = -1 };

struct packet {
    struct packet *next;
    int64_t arrived_ns;
    int64_t due_ns;
    int length_bytes;
    unsigned char bytes[];
};

struct fifo {
    struct packet *first, *last;
    int64_t bytes, packets;
};

struct random_stream {
    uint64_t state;
};

struct direction {
    int in_fd, out_fd;
    double rate_bytes_per_ns, burst_rate_bytes_per_ns, loss_ratio;
    int64_t delay_ns, jitter_ns, queue_bytes, burst_bytes, most_packet_bytes;
    struct random_stream loss, jitter;

    struct fifo queue;       /* waits for the transmitter; the first packet is in it */
    struct fifo flight;      /* left the transmitter, on its way */
    double free_at_ns;       /* when the transmitter ended its last packet */
    double head_end_ns;      /* when it will end the first packet of the queue; NEVER if not begun */
    double tokens_bytes;     /* of the token bucket, as of free_at_ns */
    int64_t last_due_ns;

    uint64_t arrived_packets, arrived_bytes, delivered_packets, delivered_bytes;
    uint64_t lost_packets, queue_full_packets, cut_packets, refused_packets, late_packets;
    int64_t worst_lateness_ns;
    int64_t deepest_queue_bytes;
};

static void die(const char *what)
{
    fprintf(stderr, "forwarder: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* SplitMix64: small, and the n-th draw depends on the seed and n alone. Result in [0, 1). */
static double draw(struct random_stream *stream)
{
    uint64_t z = stream->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

static void append(struct fifo *fifo, struct packet *packet)
{
    packet->next = NULL;
    if (fifo->last)
        fifo->last->next = packet;
    else
        fifo->first = packet;
    fifo->last = packet;
    fifo->bytes += packet->length_bytes;
    fifo->packets++;
}

static struct packet *take(struct fifo *fifo)
{
    struct packet *packet = fifo->first;
    fifo->first = packet->next;
    if (!fifo->first)
        fifo->last = NULL;
    fifo->bytes -= packet->length_bytes;
    fifo->packets--;
    return packet;
}

/* Token bucket of burst_bytes, filled at the rate, emptied at the burst's rate at most; without a bucket every packet
 * simply takes length / rate. */
static void begin_transmission(struct direction *d)
{
    const struct packet *packet = d->queue.first;
    double start_ns = (double)packet->arrived_ns > d->free_at_ns ? (double)packet->arrived_ns : d->free_at_ns;
    double tokens = d->tokens_bytes + (start_ns - d->free_at_ns) * d->rate_bytes_per_ns;
    if (tokens > (double)d->burst_bytes)
        tokens = (double)d->burst_bytes;
    double filling_ns = ((double)packet->length_bytes - tokens) / d->rate_bytes_per_ns;
    double sending_ns = (double)packet->length_bytes / d->burst_rate_bytes_per_ns;
    double takes_ns = filling_ns > sending_ns ? filling_ns : sending_ns;
    tokens += takes_ns * d->rate_bytes_per_ns - (double)packet->length_bytes;
    d->tokens_bytes = tokens > 0 ? tokens : 0;
    d->head_end_ns = start_ns + takes_ns;
}

static void transmit_until(struct direction *d, int64_t now)
{
    while (d->queue.first) {
        if (d->head_end_ns < 0)
            begin_transmission(d);
        if (d->head_end_ns > (double)now)
            return;
        struct packet *packet = take(&d->queue);
        d->free_at_ns = d->head_end_ns;
        d->head_end_ns = NEVER;
        packet->due_ns = (int64_t)d->free_at_ns + d->delay_ns;
        if (d->jitter_ns)
            packet->due_ns += (int64_t)(draw(&d->jitter) * (double)d->jitter_ns);
        if (packet->due_ns < d->last_due_ns)
            packet->due_ns = d->last_due_ns;
        d->last_due_ns = packet->due_ns;
        append(&d->flight, packet);
    }
}

static void deliver(struct direction *d)
{
    int64_t now = now_ns();
    transmit_until(d, now);
    while (d->flight.first && d->flight.first->due_ns <= now) {
        struct packet *packet = take(&d->flight);
        int64_t lateness_ns = now - packet->due_ns;
        if (lateness_ns > d->worst_lateness_ns)
            d->worst_lateness_ns = lateness_ns;
        d->late_packets += lateness_ns > LATE_NS;
        if (write(d->out_fd, packet->bytes, (size_t)packet->length_bytes) == packet->length_bytes) {
            d->delivered_packets++;
            d->delivered_bytes += (uint64_t)packet->length_bytes;
        } else {
            d->refused_packets++;
        }
        free(packet);
        now = now_ns();
        transmit_until(d, now);
    }
}

static int64_t next_event_ns(const struct direction *d)
{
    if (d->flight.first)
        return d->flight.first->due_ns;
    return d->queue.first ? (int64_t)d->head_end_ns + 1 : NEVER;
}

static void receive(struct direction *d, int is_cut)
{
    static unsigned char buffer[MAX_PACKET_BYTES];
    for (int turn = 0; turn < READS_A_TURN; turn++) {
        ssize_t got = read(d->in_fd, buffer, sizeof buffer);
        if (got < 0) {
            /* EIO: the namespace's device was set down. That is the tester's right, not an end. */
            if (errno == EAGAIN || errno == EINTR || errno == EIO)
                return;
            die("read from a TUN device");
        }
        int64_t now = now_ns();
        d->arrived_packets++;
        d->arrived_bytes += (uint64_t)got;
        if (is_cut) {
            d->cut_packets++;
            continue;
        }
        if (got > d->most_packet_bytes || (d->loss_ratio > 0 && draw(&d->loss) < d->loss_ratio)) {
            d->lost_packets++;
            continue;
        }
        transmit_until(d, now);
        if (d->queue.first && d->queue.bytes + got > d->queue_bytes) {
            d->queue_full_packets++;
            continue;
        }
        struct packet *packet = malloc(sizeof *packet + (size_t)got);
        if (!packet)
            die("memory for a packet");
        packet->arrived_ns = now;
        packet->length_bytes = (int)got;
        memcpy(packet->bytes, buffer, (size_t)got);
        append(&d->queue, packet);
        if (d->queue.bytes > d->deepest_queue_bytes)
            d->deepest_queue_bytes = d->queue.bytes;
        transmit_until(d, now);
    }
}

static void drop_all(struct direction *d)
{
    while (d->queue.first) {
        free(take(&d->queue));
        d->cut_packets++;
    }
    while (d->flight.first) {
        free(take(&d->flight));
        d->cut_packets++;
    }
    d->head_end_ns = NEVER;
}

static int shape(struct direction directions[2], const char *request)
{
    int index;
    double rate_bps, burst_rate_bps, loss_ratio;
    int64_t delay_ns, jitter_ns, queue_bytes, burst_bytes, most_packet_bytes;
    uint64_t seed;
    if (sscanf(request, "shape %d %lf %" SCNd64 " %" SCNd64 " %lf %" SCNd64 " %" SCNd64 " %lf %" SCNu64 " %" SCNd64, &index,
               &rate_bps, &delay_ns, &jitter_ns, &loss_ratio, &queue_bytes, &burst_bytes, &burst_rate_bps, &seed,
               &most_packet_bytes) != 10 ||
        index < 0 || index > 1 || !(rate_bps > 0) || !(burst_rate_bps >= rate_bps))
        return 0;
    struct direction *d = &directions[index];
    int64_t now = now_ns();
    transmit_until(d, now);
    if (d->free_at_ns < (double)now)
        d->free_at_ns = (double)now;
    d->rate_bytes_per_ns = rate_bps / 8e9;
    d->burst_rate_bytes_per_ns = burst_rate_bps / 8e9;
    d->delay_ns = delay_ns;
    d->jitter_ns = jitter_ns;
    d->loss_ratio = loss_ratio;
    d->queue_bytes = queue_bytes;
    d->burst_bytes = burst_bytes;
    d->most_packet_bytes = most_packet_bytes;
    d->tokens_bytes = (double)burst_bytes;
    d->loss.state = seed;
    d->jitter.state = ~seed;
    return 1;
}

static int report(const struct direction directions[2], char *answer, size_t size)
{
    int length = 0;
    for (int i = 0; i < 2; i++) {
        const struct direction *d = &directions[i];
        length += snprintf(answer + length, size - (size_t)length,
                           "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                           " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                           d->arrived_packets, d->arrived_bytes, d->delivered_packets, d->delivered_bytes, d->lost_packets,
                           d->queue_full_packets, d->cut_packets, d->refused_packets, d->late_packets,
                           d->worst_lateness_ns, d->queue.packets + d->flight.packets, d->queue.bytes,
                           d->deepest_queue_bytes);
    }
    return length;
}

/* Returns 0 when the tester is gone. */
static int answer_request(int control_fd, struct direction directions[2], int *is_cut)
{
    char request[512], answer[1024];
    ssize_t got = recv(control_fd, request, sizeof request - 1, 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return 0;
    if (got < 0)
        die("receive a request");
    request[got] = 0;
    int length = snprintf(answer, sizeof answer, "ok");
    if (!strcmp(request, "cut")) {
        *is_cut = 1;
        drop_all(&directions[0]);
        drop_all(&directions[1]);
    } else if (!strcmp(request, "restore")) {
        *is_cut = 0;
    } else if (!strcmp(request, "counters")) {
        length = report(directions, answer, sizeof answer);
    } else if (!shape(directions, request)) {
        length = snprintf(answer, sizeof answer, "not understood: %.400s", request);
    }
    return send(control_fd, answer, (size_t)length, MSG_NOSIGNAL) == length;
}

/* The device belongs to the namespace in which /dev/net/tun was opened. */
static int open_tun(const char *namespace_path, const char *device)
{
    int namespace_fd = open(namespace_path, O_RDONLY | O_CLOEXEC);
    if (namespace_fd < 0 || setns(namespace_fd, CLONE_NEWNET) < 0)
        die(namespace_path);
    close(namespace_fd);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        die("make a TUN device");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: forwarder CONTROL_FD NAMESPACE_A DEVICE_A NAMESPACE_B DEVICE_B\n");
        return 2;
    }
    int control_fd = atoi(argv[1]);
    int a_fd = open_tun(argv[2], argv[3]);
    int b_fd = open_tun(argv[4], argv[5]);
    struct direction directions[2] = {{.in_fd = b_fd, .out_fd = a_fd}, {.in_fd = a_fd, .out_fd = b_fd}};
    for (int i = 0; i < 2; i++) {
        directions[i].head_end_ns = NEVER;
        if (!shape(directions, i ? "shape 1 1e9 0 0 0 1000000 0 1e9 1 1500" : "shape 0 1e9 0 0 0 1000000 0 1e9 1 1500"))
            die("first shape");
    }

    /* Wake up when asked, not up to 50 us later; before other programs, and never for a page fault. Where the machine
     * refuses, lateness shows in the counters. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
    mlockall(MCL_CURRENT | MCL_FUTURE);

    if (send(control_fd, "ready", 5, MSG_NOSIGNAL) != 5)
        die("tell that it is ready");
    int is_cut = 0;
    for (;;) {
        int64_t event_ns = NEVER;
        for (int i = 0; i < 2; i++) {
            deliver(&directions[i]);
            int64_t next = next_event_ns(&directions[i]);
            if (next != NEVER && (event_ns == NEVER || next < event_ns))
                event_ns = next;
        }
        int64_t wait_ns = event_ns == NEVER ? NEVER : event_ns - now_ns();
        if (event_ns != NEVER && wait_ns < 0)
            wait_ns = 0;
        struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
        struct pollfd polled[3] = {{.fd = a_fd, .events = POLLIN}, {.fd = b_fd, .events = POLLIN},
                                   {.fd = control_fd, .events = POLLIN}};
        if (ppoll(polled, 3, event_ns == NEVER ? NULL : &wait, NULL) < 0 && errno != EINTR)
            die("wait");
        if (polled[0].revents & POLLIN)
            receive(&directions[1], is_cut);
        if (polled[1].revents & POLLIN)
            receive(&directions[0], is_cut);
        if (polled[2].revents && !answer_request(control_fd, directions, &is_cut))
            return 0;
    }
}
