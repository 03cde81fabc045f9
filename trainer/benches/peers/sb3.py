"""Trains Stable-Baselines3's SAC, TD3 or DDPG on gymnasium's Pendulum-v1 on one thread, evaluates the
greedy policy from given starts, and prints one line of JSON.

    sb3.py sac|td3|ddpg SEED STEPS STARTS        STARTS: a file of lines "angle speed"

(A file called stable_baselines3.py would import itself instead of the package.)
"""

import json
import sys
import time

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3.common.noise import NormalActionNoise

WARMUP = 100


def agent(algorithm, environment, seed, steps):
    settings = dict(
        policy="MlpPolicy",
        env=environment,
        seed=seed,
        device="cpu",
        learning_rate=1e-3,
        batch_size=100,
        buffer_size=steps,
        learning_starts=WARMUP,
        train_freq=1,
        gradient_steps=1,
        gamma=0.99,
        tau=0.005,
        policy_kwargs=dict(net_arch=[64, 64]),
    )
    if algorithm == "sac":
        return stable_baselines3.SAC(**settings)
    # Without it neither TD3 nor DDPG explores; its unit is the scaled action, within ±1.
    noise = NormalActionNoise(np.zeros(1), 0.1 * np.ones(1))
    kind = {"td3": stable_baselines3.TD3, "ddpg": stable_baselines3.DDPG}[algorithm]
    return kind(action_noise=noise, **settings)


def mean_return(model, starts):
    """All starts at once, so that evaluation takes seconds."""
    environments = [gymnasium.make("Pendulum-v1").unwrapped for _ in starts]
    for environment, start in zip(environments, starts):
        environment.reset(seed=0)
        environment.state = start.copy()
    returns = np.zeros(len(starts))
    observations = np.array([environment._get_obs() for environment in environments])
    for _ in range(200):
        actions, _ = model.predict(observations, deterministic=True)
        steps = [e.step(action) for e, action in zip(environments, actions)]
        returns += [step[1] for step in steps]
        observations = np.array([step[0] for step in steps])
    return float(returns.mean())


def main():
    algorithm, seed, steps, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(1)
    starts = np.loadtxt(file)
    model = agent(algorithm, gymnasium.make("Pendulum-v1"), seed, steps)
    before = time.process_time()
    model.learn(total_timesteps=steps)
    seconds = time.process_time() - before
    print(json.dumps(dict(
        algorithm=algorithm,
        seed=seed,
        steps=int(model.num_timesteps),
        updates=int(model._n_updates),
        cpu_seconds=seconds,
        mean_return=mean_return(model, starts),
        starts=len(starts),
        backend=f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}",
    )))


main()
