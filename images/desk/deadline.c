/* deadline: process 1 of every desk. It ends the desk at a wall-clock time, whatever runs in it.
 *
 *   deadline <epoch-seconds> [--ends-at-file PATH] -- command [argument...]
 *
 * Promise: no process of the container lives 5 seconds past <epoch-seconds> (CLOCK_REALTIME), even
 * when the hub, the gate, the portal and the sweeper are all gone. PATH (decimal epoch seconds,
 * written aside and renamed by the hub) is read once a second and can only bring that time nearer;
 * a file that belongs to the researcher is ignored, a file of the house that is no time ends the desk.
 *
 * Exit status: 124 at the deadline; 64 for a bad argument or a time already past; 71 if the guard
 * below cannot be set; 127 if the command cannot be started; else the command's own (128 + signal).
 *
 * The command runs as the same user as this process, so all that user may do to it is met here:
 *  - signals: to process 1 the kernel drops SIGKILL, SIGSTOP and every signal without a handler that
 *    comes from inside; the two awaited ones are blocked and read, so there is no handler at all;
 *  - memory and ptrace: installed 0711 and owned by root, hence not dumpable from its first
 *    instruction on; PR_SET_DUMPABLE says it again;
 *  - starving: one may lower the priority of one's own processes (nice, SCHED_IDLE), tie them to one
 *    processor, lower their limits, and then outrun them with busy children. The command therefore
 *    starts under a seccomp filter, inherited and irrevocable, that refuses this for process 1;
 *  - blocking: the file is opened without following links and without waiting, nothing is written
 *    after the start (a full pipe would hold us), and the pages are locked in memory.
 * When process 1 exits, the kernel kills whatever is left in its PID namespace, of any user. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_SECONDS = 3, REAPED_PER_TURN = 256 };
enum { EXIT_USAGE = 64, EXIT_NO_GUARD = 71, EXIT_DEADLINE = 124, EXIT_NO_COMMAND = 127 };
enum { SECOND_NS = 1000000000 };

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define FOREIGN_CALLS 0x40000000u /* x32: the same calls under other numbers */
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define FOREIGN_CALLS 0x80000000u
#else
#error "deadline: add the audit architecture of this machine"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_LESS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (no), (yes))
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* The low half of an argument is what the kernel reads as int, both machines being little-endian. */
#define REFUSE_ON_PROCESS_1(call) IF_EQUAL(call, 0, 4), LOAD_ARG(0), IF_EQUAL(1, 0, 1), REFUSE, ALLOW

/* From here on, this process and all its children may not slow down or limit process 1. */
static int guard_process_1(void)
{
    struct sock_filter rules[] = {
        LOAD(arch), IF_EQUAL(NATIVE, 1, 0), KILL,
        LOAD(nr), IF_LESS(FOREIGN_CALLS, 1, 0), KILL,
        REFUSE_ON_PROCESS_1(SYS_sched_setscheduler),
        REFUSE_ON_PROCESS_1(SYS_sched_setparam),
        REFUSE_ON_PROCESS_1(SYS_sched_setattr),
        REFUSE_ON_PROCESS_1(SYS_sched_setaffinity),
        REFUSE_ON_PROCESS_1(SYS_prlimit64),
        /* setpriority(which, who): "all of a group" and "all of a user" would include process 1 */
        IF_EQUAL(SYS_setpriority, 0, 6),
        LOAD_ARG(0), IF_EQUAL(PRIO_PROCESS, 0, 2), LOAD_ARG(1), IF_EQUAL(1, 0, 1), REFUSE, ALLOW,
        IF_EQUAL(SYS_ioprio_set, 0, 1), REFUSE,
        ALLOW,
    };
    struct sock_fprog filter = {sizeof rules / sizeof rules[0], rules};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* 1 to 12 decimal digits and nothing else; no sign, no space. */
static int parse_epoch(const char *text, long long *seconds)
{
    size_t length = strspn(text, "0123456789");
    if (length < 1 || length > 12 || text[length] != '\0')
        return -1;
    *seconds = strtoll(text, NULL, 10);
    return 0;
}

/* Bring *deadline nearer if the house wrote an earlier time; no file, or not ours: no change. */
static void read_ends_at(const char *path, long long *deadline)
{
    struct stat about;
    char text[16] = "";
    long long seconds = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid != getuid()) {
        ssize_t length = read(fd, text, sizeof text - 1);
        if (length > 1 && text[length - 1] == '\n')
            text[length - 1] = '\0';
        if (length > 0 && parse_epoch(text, &seconds) != 0)
            seconds = 0; /* fail closed; an empty file is a write in progress */
        if (length > 0 && seconds < *deadline)
            *deadline = seconds;
    }
    close(fd);
}

/* Collect dead processes, but never for long: a storm of them must not keep us from the clock.
 * Returns how many, and the command's status in *status once it is among them (-1 until then). */
static int reap(pid_t command, int *status)
{
    int count = 0, raw;
    pid_t dead;
    while (count < REAPED_PER_TURN && (dead = waitpid(-1, &raw, WNOHANG)) > 0) {
        count++;
        if (dead == command)
            *status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    }
    return count;
}

/* Three seconds for those who obey SIGTERM (on the monotonic clock, which no one can set), then
 * SIGKILL; what this user may not signal dies with process 1. */
static int end_everything(const sigset_t *awaited)
{
    const struct timespec pause = {0, SECOND_NS / 20};
    struct timespec now, end;
    int unused = -1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += GRACE_SECONDS;
    kill(-1, SIGTERM);
    do {
        sigtimedwait(awaited, NULL, &pause);
        reap(0, &unused);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (kill(-1, 0) == 0
             && (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec)));
    kill(-1, SIGKILL);
    return EXIT_DEADLINE;
}

/* Until the deadline or the command's end. Wakes on each whole second, when a deadline falls. */
static int watch(pid_t command, long long deadline, const char *ends_at, const sigset_t *awaited)
{
    long long looked = 0;
    int status = -1;
    for (;;) {
        struct timespec now, wait = {0, 0};
        siginfo_t info;
        int storm = reap(command, &status) == REAPED_PER_TURN;
        if (status >= 0) {
            kill(-1, SIGKILL);
            return status;
        }
        clock_gettime(CLOCK_REALTIME, &now);
        if (ends_at != NULL && looked != now.tv_sec) {
            looked = now.tv_sec;
            read_ends_at(ends_at, &deadline);
        }
        if (now.tv_sec >= deadline)
            return end_everything(awaited);
        if (!storm)
            wait.tv_nsec = SECOND_NS - 1 - now.tv_nsec;
        /* si_pid is 0 only for a sender outside this PID namespace: `docker stop`, not a cell. */
        if (sigtimedwait(awaited, &info, &wait) == SIGTERM && info.si_code == SI_USER && info.si_pid == 0)
            kill(command, SIGTERM);
    }
}

static int refuse(const char *why)
{
    fprintf(stderr, "deadline: %s\n"
            "usage: deadline <epoch-seconds> [--ends-at-file PATH] -- command [argument...]\n", why);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *ends_at = NULL;
    long long deadline = 0;
    int at = 2;
    sigset_t awaited, before;
    pid_t command;

    if (argc < 2 || parse_epoch(argv[1], &deadline) != 0)
        return refuse("the first argument must be a time in decimal epoch seconds");
    if (argc > 3 && strcmp(argv[2], "--ends-at-file") == 0) {
        ends_at = argv[3];
        at = 4;
        if (ends_at[0] != '/')
            return refuse("--ends-at-file must be an absolute path");
    }
    if (at + 1 >= argc || strcmp(argv[at], "--") != 0)
        return refuse("expected -- and a command");
    if (getpid() != 1)
        return refuse("must be process 1: it ends every process it can see");
    if (deadline <= (long long)time(NULL))
        return refuse("that time is already past");
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return EXIT_NO_GUARD;
    (void)mlockall(MCL_CURRENT | MCL_FUTURE); /* a small locked-memory limit costs a delay, not the promise */

    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGTERM);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    command = fork();
    if (command < 0)
        return EXIT_NO_GUARD;
    if (command == 0) {
        /* A session of its own: nobody inside can join, or signal, the process group of process 1. */
        if (setsid() < 0 || guard_process_1() != 0)
            _exit(EXIT_NO_GUARD);
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(argv[at + 1], argv + at + 1);
        perror("deadline: cannot start the command");
        _exit(EXIT_NO_COMMAND);
    }
    return watch(command, deadline, ends_at, &awaited);
}
