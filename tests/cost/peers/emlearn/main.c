/* emlearn's neural network (PyPI emlearn, eml_net.h), with the tables that its converter writes. */
#include <eml_net.h>

#include "network.h"

static const EmlNetLayer layers[] = {
    {SIZE_1, SIZE_0, columns_0, biases_0, EmlNetActivationRelu},
    {SIZE_2, SIZE_1, columns_1, biases_1, EmlNetActivationRelu},
    {SIZE_3, SIZE_2, columns_2, biases_2, EmlNetActivationTanh},
};
/* All hidden layers are equally wide, and wider than the observation. */
static float activations_1[SIZE_1], activations_2[SIZE_1];
static EmlNet network = {3, layers, activations_1, activations_2, SIZE_1};

void cost_init(void) {}

void cost_act(const float *observation, float *action)
{
    *action = 2.0f * eml_net_regress1(&network, observation, SIZE_0);
}
