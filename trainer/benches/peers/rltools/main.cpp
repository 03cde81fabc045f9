// Trains RLtools' SAC or TD3 on its pendulum, evaluates the greedy policy from given starts, and
// prints one line of JSON.
//
//   main sac|td3 SEED STARTS       STARTS: a file of lines "angle speed"
//
// Sizes and intervals are compile-time constants in RLtools. Those of its own defaults that matter
// here are asserted below, so that another version of the headers cannot change them silently.

#include <rl_tools/operations/cpu_mux.h>

// The operations of a parameter must be known before those of the layers that hold it.
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/sample_and_squash/operations_generic.h>
#include <rl_tools/nn/layers/td3_sampling/operations_generic.h>
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn_models/random_uniform/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
#include <rl_tools/rl/environments/pendulum/operations_cpu.h>
#include <rl_tools/rl/algorithms/sac/operations_cpu_mux.h>
#include <rl_tools/rl/algorithms/td3/operations_cpu_mux.h>
#include <rl_tools/rl/algorithms/sac/loop/core/config.h>
#include <rl_tools/rl/algorithms/td3/loop/core/config.h>
#include <rl_tools/rl/algorithms/sac/loop/core/operations_generic.h>
#include <rl_tools/rl/algorithms/td3/loop/core/operations_generic.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#ifndef STEPS
#define STEPS 10000
#endif

namespace rlt = rl_tools;

using DEVICE = rlt::devices::DEVICE_FACTORY<>;
using RNG = DEVICE::SPEC::RANDOM::ENGINE<>;
using TI = DEVICE::index_t;
using T = float;
using TYPES = rlt::numeric_types::Policy<T>;
using PENDULUM = rlt::rl::environments::Pendulum<rlt::rl::environments::pendulum::Specification<T, TI>>;
using STARTS = std::vector<std::pair<T, T>>;

namespace sac = rlt::rl::algorithms::sac;
namespace td3 = rlt::rl::algorithms::td3;

constexpr TI WARMUP = 100;

struct SacParameters : sac::loop::core::DefaultParameters<TYPES, TI, PENDULUM> {
    // The headers say 32, their Python interface 100.
    struct SAC_PARAMETERS : sac::DefaultParameters<TYPES, TI, PENDULUM::ACTION_DIM> {
        static constexpr TI ACTOR_BATCH_SIZE = 100;
        static constexpr TI CRITIC_BATCH_SIZE = 100;
    };
    static constexpr TI STEP_LIMIT = STEPS;
    static constexpr TI REPLAY_BUFFER_CAP = STEP_LIMIT;
    // Statistics of episodes are not needed, and cost time.
    static constexpr bool COLLECT_EPISODE_STATS = false;
    using AGENT = SAC_PARAMETERS;
    using ADAM = ACTOR_OPTIMIZER_PARAMETERS;
    static_assert(AGENT::ACTOR_TRAINING_INTERVAL == 1 && AGENT::CRITIC_TARGET_UPDATE_INTERVAL == 1);
};
struct Td3Parameters : td3::loop::core::DefaultParameters<TYPES, TI, PENDULUM> {
    static constexpr TI STEP_LIMIT = STEPS;
    static constexpr TI REPLAY_BUFFER_CAP = STEP_LIMIT;
    static constexpr bool COLLECT_EPISODE_STATS = false;
    using AGENT = TD3_PARAMETERS;
    using ADAM = OPTIMIZER_PARAMETERS;
    static_assert(AGENT::ACTOR_TRAINING_INTERVAL == 2 && AGENT::CRITIC_TARGET_UPDATE_INTERVAL == 2);
};

template <typename P>
constexpr bool as_stated() {
    using A = typename P::AGENT;
    return P::ACTOR_HIDDEN_DIM == 64 && P::CRITIC_HIDDEN_DIM == 64 && P::ACTOR_NUM_LAYERS == 3 &&
        P::CRITIC_NUM_LAYERS == 3 && P::N_WARMUP_STEPS == WARMUP && P::N_WARMUP_STEPS_ACTOR == WARMUP &&
        P::N_WARMUP_STEPS_CRITIC == WARMUP && P::N_ENVIRONMENTS == 1 && P::SHARED_BATCH &&
        A::ACTOR_BATCH_SIZE == 100 && A::CRITIC_BATCH_SIZE == 100 && A::CRITIC_TRAINING_INTERVAL == 1 &&
        A::GAMMA == T(0.99) && A::CRITIC_POLYAK == T(1.0 - 0.005) && P::ADAM::ALPHA == T(1e-3) &&
        PENDULUM::EPISODE_STEP_LIMIT == 200;
}

using SacConfig = sac::loop::core::Config<TYPES, TI, RNG, PENDULUM, SacParameters>;
using Td3Config = td3::loop::core::Config<TYPES, TI, RNG, PENDULUM, Td3Parameters>;

double cpu_seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/// Mean return of the greedy policy, one episode from each start.
template <typename ACTOR>
double evaluate(DEVICE& device, ACTOR& trained, const STARTS& starts, RNG& rng) {
    using ONE = typename ACTOR::template CHANGE_BATCH_SIZE<TI, 1>;
    using POLICY = typename ONE::template CHANGE_CAPABILITY<rlt::nn::capability::Forward<>>;
    POLICY policy;
    typename POLICY::template State<> memory;
    typename POLICY::template Buffer<> buffer;
    rlt::malloc(device, policy);
    rlt::malloc(device, memory);
    rlt::malloc(device, buffer);
    rlt::copy(device, device, trained, policy);
    rlt::Mode<rlt::mode::Evaluation<>> greedy;

    rlt::Matrix<rlt::matrix::Specification<T, TI, 1, 3, false>> observation;
    rlt::Matrix<rlt::matrix::Specification<T, TI, 1, 1, false>> action;
    PENDULUM pendulum;
    PENDULUM::Parameters parameters;
    double sum = 0;
    for (auto [angle, speed] : starts) {
        PENDULUM::State state, next;
        state.theta = angle;
        state.theta_dot = speed;
        rlt::reset(device, policy, memory, rng);
        for (TI step = 0; step < PENDULUM::EPISODE_STEP_LIMIT; step++) {
            rlt::observe(device, pendulum, parameters, state, PENDULUM::Observation{}, observation, rng);
            auto input = rlt::to_tensor(device, observation);
            auto output = rlt::to_tensor(device, action);
            rlt::evaluate_step(device, policy, input, memory, output, buffer, rng, greedy);
            rlt::step(device, pendulum, parameters, state, action, next, rng);
            // As the environment's own reward does not, gymnasium's clips the torque.
            rlt::set(action, 0, 0, rlt::math::clamp(device.math, rlt::get(action, 0, 0), T(-1), T(1)));
            sum += rlt::reward(device, pendulum, parameters, state, action, next, rng);
            state = next;
        }
    }
    rlt::free(device, policy);
    rlt::free(device, memory);
    rlt::free(device, buffer);
    return sum / double(starts.size());
}

/// The names of the loaded libraries of MKL and OpenBLAS: MKL loads its kernels by processor, so
/// they tell which instructions it uses.
std::string loaded_libraries() {
    std::set<std::string> names;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        auto name = line.substr(line.rfind('/') + 1);
        if (name.rfind("libmkl", 0) == 0 || name.rfind("libopenblas", 0) == 0 || name.rfind("libscipy_openblas", 0) == 0)
            names.insert(name);
    }
    std::string list;
    for (auto& name : names) list += (list.empty() ? "" : " ") + name;
    return list;
}

template <typename CONFIG>
int run(const char* algorithm, TI seed, const STARTS& starts) {
    static_assert(as_stated<typename CONFIG::CORE_PARAMETERS>());
    DEVICE device;
    auto state = std::make_unique<typename CONFIG::template State<CONFIG>>();
    rlt::malloc(device, *state);
    rlt::init(device, *state, seed);

    double before = cpu_seconds();
    while (state->step < STEPS) rlt::step(device, *state);
    double seconds = cpu_seconds() - before;

    double mean = evaluate(device, rlt::get_actor(*state), starts, state->rng);
    std::printf("{\"algorithm\": \"%s\", \"seed\": %lu, \"steps\": %d, \"updates\": %lu, \"cpu_seconds\": %.6f, "
                "\"mean_return\": %.4f, \"starts\": %zu, \"backend\": \"%s\"}\n",
        algorithm, (unsigned long)seed, STEPS, (unsigned long)(STEPS - WARMUP), seconds, mean, starts.size(),
        loaded_libraries().c_str());
    rlt::free(device, *state);
    return 0;
}

int main(int count, char** arguments) {
    std::string algorithm = count == 4 ? arguments[1] : "";
    if (algorithm != "sac" && algorithm != "td3") {
        std::fprintf(stderr, "usage: main sac|td3 SEED STARTS\n");
        return 2;
    }
    STARTS starts;
    std::ifstream file(arguments[3]);
    for (T angle, speed; file >> angle >> speed;) starts.emplace_back(angle, speed);
    if (starts.empty()) {
        std::fprintf(stderr, "%s: no starts in it\n", arguments[3]);
        return 2;
    }
    TI seed = std::strtoul(arguments[2], nullptr, 10);
    return algorithm == "sac" ? run<SacConfig>("sac", seed, starts) : run<Td3Config>("td3", seed, starts);
}
