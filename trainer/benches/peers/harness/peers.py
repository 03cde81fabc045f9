"""Who is compared: how each program is set up and started."""

from dataclasses import dataclass, field
from typing import Callable

from . import build
from .build import HERE, TARGET, VENV

STARTS = TARGET / "starts.txt"
ALGORITHMS = ["td3", "sac", "ddpg", "dqn"]
WARMUP = 100


@dataclass
class Settings:
    """What all programs have in common."""

    steps: int


@dataclass
class Peer:
    """A program that prints a line of JSON."""

    name: str
    algorithms: list[str]
    # (algorithm, seed, settings) -> the command
    command: Callable[[str, int, Settings], list[str]]
    # What its time is divided by.
    baseline: str
    setups: list[Callable[[Settings], None]]
    environment: dict[str, str] = field(default_factory=dict)
    # Slow programs run for the first seeds only.
    seeds: int = 10**9
    # The unit of the table: a whole training, or one update.
    one_update: bool = False
    # What must and must not stand in the `backend` that it reports.
    backend: str = ""
    no_backend: str = "\n"
    by_default: Callable[[], bool] = lambda: True


def has_avx512():
    """Whether holding everything to AVX2 makes a difference here."""
    with open("/proc/cpuinfo") as file:
        return "avx512f" in file.read()


def ours(**changes):
    """Our presets, with everybody's steps, updates and sizes where `changes` does not say otherwise."""

    def command(algorithm, seed, common):
        settings = {
            "steps": common.steps,
            "buffer_size": common.steps,
            "update_after": WARMUP,
            "batch_size": 100,
            "hidden": "[64,64]",
            **changes,
        }
        sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        return [str(TARGET / "trainer" / "release" / "trainer"), "train", "--preset", algorithm, "--threads", "1",
                "--seed", str(seed), "--out", str(TARGET / "out"), "--json", *sets]  # fmt: skip

    return command


def rltools(variant):
    def command(algorithm, seed, common):
        return [str(build.rltools_binary(variant, common)), algorithm, str(seed), str(STARTS)]

    return command


def python(script, with_starts):
    def command(algorithm, seed, common):
        extra = [str(common.steps), str(STARTS)] if with_starts else []
        return [str(VENV / "bin" / "python"), str(HERE / script), algorithm, str(seed), *extra]

    return command


def modurl(algorithm, seed, common):
    binary = TARGET / "modurl" / "release" / "modurl-peer"
    return [str(binary), algorithm, str(seed), str(common.steps), str(STARTS)]


# 256-256 networks and minibatches of 256. Ours is timed as whole training: 10 000 random steps of the
# environment, then 100 that are followed by 10 updates each.
OURS_256 = ours(steps=10_100, buffer_size=10_100, start_steps=10_000, update_after=10_000, rollout_steps=1,
                updates_per_iteration=10, reset_each_iteration="false", batch_size=256,
                hidden="[256,256]")  # fmt: skip
# The step sizes, τ, random steps and lengths of episodes of the other programs.
OURS_PLAIN = ours(critic_learning_rate=1e-3, actor_learning_rate=1e-3, tau=5e-3, start_steps=WARMUP, rollout_steps=1,
                  reset_each_iteration="false", updates_per_iteration=1)  # fmt: skip
AVX2 = {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}

PEERS = [
    Peer("ours", ALGORITHMS, ours(), "ours", [build.trainer]),
    Peer("ours-plain", ["td3", "sac"], OURS_PLAIN, "ours", [build.trainer]),
    Peer("rltools-mkl", ["td3", "sac"], rltools("mkl"), "ours", [build.rltools_mkl], backend="libmkl_core"),
    Peer("sb3", ["td3", "sac", "ddpg"], python("sb3.py", True), "ours", [build.torch]),
    Peer("modurl", ALGORITHMS, modurl, "ours", [build.modurl]),
    Peer("rltools-openblas", ["td3", "sac"], rltools("openblas"), "ours", [build.rltools_openblas],
         # By itself it chooses a poor kernel where there is AVX-512.
         environment={"OPENBLAS_CORETYPE": "SkylakeX"} if has_avx512() else {},
         backend="openblas", no_backend="libmkl"),
    Peer("rltools-loops", ["td3", "sac"], rltools("loops"), "ours", [build.rltools_loops],
         seeds=2, no_backend="lib"),
    # Both held to AVX2. Elsewhere that is what the programs above are.
    Peer("ours-avx2", ["td3", "sac"], ours(), "ours-avx2", [build.trainer],
         environment={"TRAINER_BACKEND": "avx2"}, backend="avx2", by_default=has_avx512),
    Peer("rltools-mkl-avx2", ["td3", "sac"], rltools("mkl-avx2"), "ours-avx2", [build.rltools_mkl_avx2],
         environment=AVX2, backend="libmkl_core", no_backend="avx512", by_default=has_avx512),
    Peer("ours-256", ["td3", "sac"], OURS_256, "ours-256", [build.trainer], one_update=True),
    Peer("pytorch-256", ["td3", "sac"], python("pytorch_update.py", False), "ours-256", [build.torch],
         one_update=True),
]  # fmt: skip
