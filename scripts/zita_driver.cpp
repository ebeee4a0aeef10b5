// Runs zita-convolver over a recording and reports its cost: the C++ peer of bench_realtime.py.
//
//   zita_driver TUNED BLOCK INPUTS OUTPUTS TAPS BLOCKS PACE_US RESPONSES INPUT OUTPUT
//
// RESPONSES holds INPUTS x OUTPUTS rows of TAPS float32 (all paths; a row of zeros is no path), INPUT and OUTPUT
// BLOCKS x BLOCK frames, channel after channel. PACE_US > 0 calls once per that many microseconds, as a sound card
// would; 0 runs as fast as the threads allow. TUNED 1 turns on measured FFT plans and the vector mode; 0 leaves
// the library's defaults. Prints CPU microseconds per block, all threads counted, then the
// caller's time of each block in microseconds.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>
#include <zita-convolver.h>

static double now(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

static std::vector<float> load(const char *path, size_t count) {
    std::vector<float> data(count);
    FILE *file = fopen(path, "rb");
    if (!file || fread(data.data(), sizeof(float), count, file) != count) {
        fprintf(stderr, "cannot read %zu floats from %s\n", count, path);
        exit(1);
    }
    fclose(file);
    return data;
}

static void check(int status, const char *what) {
    if (status) {
        fprintf(stderr, "zita-convolver: %s failed with %d\n", what, status);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 11) {
        fprintf(stderr, "expected 10 arguments, got %d\n", argc - 1);
        return 2;
    }
    const unsigned block = atoi(argv[2]), inputs = atoi(argv[3]), outputs = atoi(argv[4]), taps = atoi(argv[5]);
    const size_t blocks = atoi(argv[6]), frames = blocks * block;
    const double pace = atof(argv[7]);
    std::vector<float> responses = load(argv[8], size_t(inputs) * outputs * taps);
    const std::vector<float> input = load(argv[9], inputs * frames);
    std::vector<float> output(outputs * frames);

    Convproc convolver;
    // Without the last option it falls silent, and is cheap, once its threads have been late a few times.
    const unsigned tuned = Convproc::OPT_FFTW_MEASURE | Convproc::OPT_VECTOR_MODE;
    convolver.set_options((atoi(argv[1]) ? tuned : 0) | Convproc::OPT_LATE_CONTIN);
    const unsigned smallest = std::max(block, unsigned(Convproc::MINPART));
    check(convolver.configure(inputs, outputs, taps, block, smallest, Convproc::MAXPART, 0.0f), "configure");
    for (unsigned i = 0; i < inputs; i++)
        for (unsigned o = 0; o < outputs; o++) {
            float *row = &responses[(size_t(i) * outputs + o) * taps];
            if (std::any_of(row, row + taps, [](float tap) { return tap != 0.0f; }))
                check(convolver.impdata_create(i, o, 1, row, 0, taps), "impdata_create");
        }
    check(convolver.start_process(0, SCHED_OTHER), "start_process");
    const timespec rise = {0, 50000000};  // a thread that is not up yet at the first block spoils what follows
    nanosleep(&rise, nullptr);

    std::vector<double> times(blocks);
    const double cpu = now(CLOCK_PROCESS_CPUTIME_ID), start = now(CLOCK_MONOTONIC);
    for (size_t n = 0; n < blocks; n++) {
        if (pace > 0) {
            const double due = start + n * pace, wait = due - now(CLOCK_MONOTONIC);
            if (wait > 0) {
                timespec t = {time_t(wait / 1e6), long(wait * 1e3) % 1000000000L};
                nanosleep(&t, nullptr);
            }
        }
        const double begin = now(CLOCK_MONOTONIC);
        for (unsigned i = 0; i < inputs; i++)
            std::copy_n(&input[i * frames + n * block], block, convolver.inpdata(i));
        convolver.process(pace <= 0);
        for (unsigned o = 0; o < outputs; o++)
            std::copy_n(convolver.outdata(o), block, &output[o * frames + n * block]);
        times[n] = now(CLOCK_MONOTONIC) - begin;
    }
    printf("%.3f\n", (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / blocks);
    for (double time : times) printf("%.2f\n", time);
    convolver.stop_process();
    convolver.cleanup();

    FILE *file = fopen(argv[10], "wb");
    if (!file || fwrite(output.data(), sizeof(float), output.size(), file) != output.size()) return 1;
    fclose(file);
    return 0;
}
