// RLtools' inference for ARM without a library (PyPI rltools): its device `arm::OPT`, whose dense layers
// are unrolled by four, with the constant parameters that its export to C++ code declares.
#include <rl_tools/operations/arm.h>

#include <rl_tools/nn/layers/dense/operations_arm/opt.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>

#include "network.h"

namespace rlt = rl_tools;

using DEVICE = rlt::devices::DefaultARM;
using TI = DEVICE::index_t;
using TYPES = rlt::numeric_types::Policy<float>;
using CAPABILITY = rlt::nn::capability::Forward<true, true>; // parameters: somewhere else, constant
using Activation = rlt::nn::activation_functions::ActivationFunction;

template <TI OUTPUTS, Activation ACTIVATION>
using Dense = rlt::nn::layers::dense::BindConfiguration<
    rlt::nn::layers::dense::Configuration<TYPES, TI, OUTPUTS, ACTIVATION>>;
template <typename CONTENT, typename NEXT = rlt::nn_models::sequential::OutputModule>
using Module = rlt::nn_models::sequential::Module<CONTENT, NEXT>;

using CHAIN = Module<Dense<SIZE_1, Activation::RELU>,
                     Module<Dense<SIZE_2, Activation::RELU>, Module<Dense<SIZE_3, Activation::TANH>>>>;
using INPUT_SHAPE = rlt::tensor::Shape<TI, 1, 1, SIZE_0>;
using OUTPUT_SHAPE = rlt::tensor::Shape<TI, 1, 1, SIZE_3>;
using MODEL = rlt::nn_models::sequential::Build<CAPABILITY, CHAIN, INPUT_SHAPE>;

template <typename SHAPE, bool CONST>
using Elsewhere = rlt::Tensor<
    rlt::tensor::Specification<float, TI, SHAPE, true, rlt::tensor::RowMajorStride<SHAPE>, CONST>>;

static const MODEL make()
{
    // The weights are only read through these pointers.
    const auto memory = [](const float *numbers) { return const_cast<float *>(numbers); };
    MODEL model{};
    model.content.weights.parameters = {memory(rows_0)};
    model.content.biases.parameters = {memory(biases_0)};
    model.next_module.content.weights.parameters = {memory(rows_1)};
    model.next_module.content.biases.parameters = {memory(biases_1)};
    model.next_module.next_module.content.weights.parameters = {memory(rows_2)};
    model.next_module.next_module.content.biases.parameters = {memory(biases_2)};
    return model;
}

static DEVICE device;
static DEVICE::SPEC::RANDOM::ENGINE<> rng;
static MODEL::Buffer<false> buffer;

extern "C" void cost_init() {}

extern "C" void cost_act(const float *observation, float *action)
{
    const MODEL model = make();
    const Elsewhere<INPUT_SHAPE, true> input{const_cast<float *>(observation)};
    Elsewhere<OUTPUT_SHAPE, false> output{action};
    rlt::evaluate(device, model, input, output, buffer, rng, rlt::Mode<rlt::mode::Evaluation<>>{});
    *action *= 2.0f;
}
