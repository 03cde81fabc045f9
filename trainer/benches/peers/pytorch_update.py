"""Times one update of TD3 or SAC, written by hand in PyTorch, on one thread; prints one line of JSON.

    pytorch_update.py td3|sac SEED [WIDTH BATCH UPDATES]        by default 256 256 1000

The loop follows what PyTorch documents for speed on a processor: gradients only where they are
needed (no_grad for targets, autograd.grad for named parameters, so that an actor's loss computes no
gradient of the critics' weights), fused Adam, targets moved by one foreach call, and no
synchronisation with .item(). A batch is gathered from a replay buffer in each update, as in
training.
"""

import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn.functional import linear, relu, softplus

OBSERVATION, ACTION, STORED = 3, 1, 10_000
GAMMA, TAU = 0.99, 0.005


def mlp(inputs, width, outputs):
    """Parameters of a network with two hidden layers, initialised as nn.Linear does."""
    sizes = [(inputs, width), (width, width), (width, outputs)]
    layers = [nn.Linear(*size) for size in sizes]
    return [p for layer in layers for p in (layer.weight, layer.bias)]


def forward(p, x):
    return linear(relu(linear(relu(linear(x, p[0], p[1])), p[2], p[3])), p[4], p[5])


def copy(parameters):
    return [p.detach().clone() for p in parameters]


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, fused=True)


def descend(optimiser, parameters, loss):
    for p, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
        p.grad = gradient
    optimiser.step()


def approach(targets, parameters):
    with torch.no_grad():
        torch._foreach_lerp_(targets, parameters, TAU)


class Agent:
    def __init__(self, algorithm, width, batch):
        self.algorithm, self.batch = algorithm, batch
        outputs = ACTION if algorithm == "td3" else 2 * ACTION
        self.actor = mlp(OBSERVATION, width, outputs)
        self.q1, self.q2 = (mlp(OBSERVATION + ACTION, width, 1) for _ in range(2))
        self.critics = self.q1 + self.q2
        self.target_actor = copy(self.actor)
        self.t1, self.t2 = copy(self.q1), copy(self.q2)
        self.actor_adam, self.critic_adam = adam(self.actor), adam(self.critics)
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_adam = adam([self.log_alpha])
        self.replay = [torch.randn(STORED, n) for n in (OBSERVATION, ACTION, 1, OBSERVATION)]
        self.updates = 0

    def update(self):
        index = torch.randint(STORED, (self.batch,))
        s, a, r, s2 = (column[index] for column in self.replay)
        (self.td3 if self.algorithm == "td3" else self.sac)(s, a.clamp(-1, 1), r, s2)
        self.updates += 1

    def critic_step(self, s, a, y):
        x = torch.cat([s, a], 1)
        loss = (forward(self.q1, x) - y).square().mean() + (forward(self.q2, x) - y).square().mean()
        descend(self.critic_adam, self.critics, loss)

    def td3(self, s, a, r, s2):
        with torch.no_grad():
            noise = (0.2 * torch.randn_like(a)).clamp_(-0.5, 0.5)
            a2 = (forward(self.target_actor, s2).tanh_() + noise).clamp_(-1, 1)
            x2 = torch.cat([s2, a2], 1)
            y = r + GAMMA * torch.minimum(forward(self.t1, x2), forward(self.t2, x2))
        self.critic_step(s, a, y)
        if self.updates % 2 == 1:
            x = torch.cat([s, forward(self.actor, s).tanh()], 1)
            descend(self.actor_adam, self.actor, -forward(self.q1, x).mean())
            approach(self.target_actor + self.t1 + self.t2, self.actor + self.critics)

    def sample(self, s):
        """An action and its log-probability: ã = tanh u, log π = log N(u) − log(1 − ã²)"""
        mean, log_std = forward(self.actor, s).chunk(2, 1)
        log_std = log_std.clamp(-5, 2)
        epsilon = torch.randn_like(mean)
        u = mean + log_std.exp() * epsilon
        normal = -0.5 * epsilon.square() - log_std - 0.5 * math.log(2 * math.pi)
        return u.tanh(), normal - 2 * (math.log(2) - u - softplus(-2 * u))

    def sac(self, s, a, r, s2):
        alpha = self.log_alpha.detach().exp()
        with torch.no_grad():
            a2, log_pi2 = self.sample(s2)
            x2 = torch.cat([s2, a2], 1)
            y = r + GAMMA * (torch.minimum(forward(self.t1, x2), forward(self.t2, x2)) - alpha * log_pi2)
        self.critic_step(s, a, y)
        actions, log_pi = self.sample(s)
        x = torch.cat([s, actions], 1)
        worth = torch.minimum(forward(self.q1, x), forward(self.q2, x))
        descend(self.actor_adam, self.actor, (alpha * log_pi - worth).mean())
        # L(log α) = −log α · mean (log π + H̄), with H̄ = −1: its derivative is known.
        self.log_alpha.grad = -(log_pi.detach().mean() - 1.0).reshape(1)
        self.alpha_adam.step()
        approach(self.t1 + self.t2, self.critics)


def main():
    algorithm, seed = sys.argv[1], int(sys.argv[2])
    width, batch, updates = (int(x) for x in sys.argv[3:6] or (256, 256, 1000))
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    # Adam's moments of dead units decay into subnormal numbers, which are slow.
    torch.set_flush_denormal(True)
    agent = Agent(algorithm, width, batch)
    for _ in range(100):
        agent.update()
    before = time.process_time()
    for _ in range(updates):
        agent.update()
    seconds = time.process_time() - before
    print(json.dumps(dict(
        algorithm=algorithm,
        seed=seed,
        width=width,
        batch=batch,
        updates=updates,
        cpu_seconds=seconds,
        backend=f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}",
    )))


main()
