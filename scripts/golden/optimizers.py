"""Golden fixtures of optimisers and schedules in float64: torch.optim, and Keras's where its conventions differ.

Every optimiser follows the same 20 gradients, each plus a pull towards a point, so that errors would add up.
"""

import math

import keras
import numpy as np
import torch

from fixture import Fixture

VERSION = f"torch {torch.__version__.split('+')[0]}, keras {keras.__version__}"
UPDATES = 20
# A GRU with 2 inputs and 3 hidden units: 45 numbers in matrices, then 18 in vectors.
COUNT, MATRICES = 63, 45
# Keras rounds rates and moments' factors to float32 on the way, so its own are given such as float32 has.
RATE = 2.0**-6
BETAS = {"b1": 0.875, "b2": 1 - 2.0**-7}
KERAS = {"epsilon": 0.125, "beta_1": BETAS["b1"], "beta_2": BETAS["b2"]}

random = np.random.default_rng(18)
START, POINT = random.normal(size=(2, COUNT))
NOISE = random.normal(size=(UPDATES, COUNT)) * random.choice([0.01, 1, 30], (UPDATES, 1))


def gradient(t, p):
    return NOISE[t] + 0.5 * (p - POINT)


def run_torch(make, clip=None, split=False):
    parts = [slice(0, MATRICES), slice(MATRICES, COUNT)] if split else [slice(0, COUNT)]
    tensors = [torch.from_numpy(START[part].copy()).requires_grad_() for part in parts]
    optimizer = make(tensors)
    path = []
    for t in range(UPDATES):
        p = np.concatenate([tensor.detach().numpy() for tensor in tensors])
        for tensor, part in zip(tensors, parts):
            tensor.grad = torch.from_numpy(gradient(t, p)[part].copy())
        if clip:
            clip(tensors)
        optimizer.step()
        path.append(np.concatenate([tensor.detach().numpy() for tensor in tensors]))
    return np.array(path)


def run_keras(optimizer):
    variable = keras.Variable(START, dtype="float64")
    optimizer.build([variable])
    path = []
    for t in range(UPDATES):
        g = gradient(t, keras.ops.convert_to_numpy(variable))
        optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
        path.append(keras.ops.convert_to_numpy(variable).copy())
    return np.array(path)


def run_numpy(step, decay=0.0, decoupled=0.0, clip=lambda g: g):
    """The formulas of Training/Optimizer.swift. `step(g, memory, t)` is what is taken from p; t counts from 1."""
    p, memory, path = START.copy(), {}, []
    for t in range(UPDATES):
        g = clip(gradient(t, p)) + decay * p
        p = p - RATE * decoupled * p - step(g, memory, t + 1)
        path.append(p)
    return np.array(path)


def sgd(momentum=0.0, nesterov=False):
    def step(g, memory, t):
        u = memory["u"] = momentum * memory.get("u", 0) + g
        return RATE * (g + momentum * u if nesterov else u)

    return step


def rms_prop(form, a, epsilon, momentum=0.0):
    def step(g, memory, t):
        v = memory["v"] = a * memory.get("v", 0) + (1 - a) * g**2
        tensorflow = form == "tensorFlow"
        w = RATE * g / np.sqrt(v + epsilon) if tensorflow else g / (np.sqrt(v) + epsilon)
        u = memory["u"] = momentum * memory.get("u", 0) + w
        return u if tensorflow else RATE * u

    return step


def adam(form, epsilon=1e-8, b1=0.9, b2=0.999, amsgrad=False):
    def step(g, memory, t):
        m = memory["m"] = b1 * memory.get("m", 0) + (1 - b1) * g
        v = memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g**2
        if amsgrad:
            v = memory["peak"] = np.maximum(memory.get("peak", 0), v)
        if form == "tensorFlow":
            return RATE * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon)
        return RATE / (1 - b1**t) * m / (np.sqrt(v / (1 - b2**t)) + epsilon)

    return step


def clip_norm(g):
    return g * min(1, 2 / (np.sqrt(np.sum(g**2)) + 1e-6))


def clip_value(g):
    return np.clip(g, -0.5, 0.5)


def only_matrices(amount):
    return np.where(np.arange(COUNT) < MATRICES, amount, 0)


def write_optimizers():
    optim, keras_optim = torch.optim, keras.optimizers

    def plain(kind, **options):
        return run_torch(lambda p: kind(p, lr=RATE, **options))

    def groups(kind, amount, **options):
        def make(p):
            return kind([{"params": p[:1], "weight_decay": amount}, {"params": p[1:], "weight_decay": 0}], lr=RATE, **options)

        return run_torch(make, split=True)

    def clipped(clip):
        return run_torch(lambda p: optim.SGD(p, lr=RATE, momentum=0.9), clip)

    # Large epsilons, so that where they stand is seen.
    cases = {
        "sgd": (plain(optim.SGD), run_numpy(sgd())),
        "sgd.momentum": (plain(optim.SGD, momentum=0.9), run_numpy(sgd(0.9))),
        "sgd.nesterov": (
            plain(optim.SGD, momentum=0.9, nesterov=True, weight_decay=0.1),
            run_numpy(sgd(0.9, True), 0.1),
        ),
        "sgd.matrices": (groups(optim.SGD, 0.1, momentum=0.9), run_numpy(sgd(0.9), only_matrices(0.1))),
        "sgd.clipNorm": (
            clipped(lambda p: torch.nn.utils.clip_grad_norm_(p, 2)),
            run_numpy(sgd(0.9), clip=clip_norm),
        ),
        "sgd.clipValue": (
            clipped(lambda p: torch.nn.utils.clip_grad_value_(p, 0.5)),
            run_numpy(sgd(0.9), clip=clip_value),
        ),
        "rmsProp": (plain(optim.RMSprop), run_numpy(rms_prop("pyTorch", 0.99, 1e-8))),
        "rmsProp.momentum": (
            plain(optim.RMSprop, momentum=0.9, alpha=0.9, eps=0.1, weight_decay=0.1),
            run_numpy(rms_prop("pyTorch", 0.9, 0.1, 0.9), 0.1),
        ),
        "rmsProp.keras": (
            run_keras(keras_optim.RMSprop(RATE, rho=0.9, momentum=0.5, epsilon=0.1)),
            run_numpy(rms_prop("tensorFlow", 0.9, 0.1, 0.5)),
        ),
        "adam": (plain(optim.Adam), run_numpy(adam("pyTorch"))),
        "adam.decay": (
            plain(optim.Adam, eps=0.1, weight_decay=0.1),
            run_numpy(adam("pyTorch", 0.1), 0.1),
        ),
        "adam.amsGrad": (
            plain(optim.Adam, eps=0.1, betas=(0.8, 0.9), amsgrad=True),
            run_numpy(adam("pyTorch", 0.1, 0.8, 0.9, True)),
        ),
        "adam.keras": (run_keras(keras_optim.Adam(RATE, **KERAS)), run_numpy(adam("tensorFlow", 0.125, **BETAS))),
        "adam.kerasAMSGrad": (
            run_keras(keras_optim.Adam(RATE, amsgrad=True, **KERAS)),
            run_numpy(adam("tensorFlow", 0.125, amsgrad=True, **BETAS)),
        ),
        "adamW": (plain(optim.AdamW), run_numpy(adam("pyTorch"), decoupled=0.01)),
        "adamW.matrices": (
            groups(optim.AdamW, 0.1, eps=0.1, amsgrad=True),
            run_numpy(adam("pyTorch", 0.1, amsgrad=True), decoupled=only_matrices(0.1)),
        ),
        "adamW.keras": (
            run_keras(keras_optim.AdamW(RATE, weight_decay=0.125, **KERAS)),
            run_numpy(adam("tensorFlow", 0.125, **BETAS), decoupled=0.125),
        ),
    }
    tensors = {"start": START, "point": POINT, "noise": NOISE} | {name: peer for name, (peer, _) in cases.items()}
    fixture = Fixture("optimizers", f"{VERSION} optimizers", {"variant": "optimizers"}, tensors)
    for name, (_, expected) in cases.items():
        fixture.check(name, expected)
    fixture.write()


def write_schedules():
    base, count = 0.3, 60
    scheduler = torch.optim.lr_scheduler

    def rates(make, count=count, losses=None):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
        schedule = make(optimizer)
        path = []
        for t in range(count):
            path.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if t < count - 1:
                schedule.step(*([] if losses is None else [losses[t]]))
        return np.array(path)

    def warm_up(o):
        first = scheduler.LinearLR(o, start_factor=0.1, total_iters=8)
        return scheduler.SequentialLR(o, [first, scheduler.CosineAnnealingLR(o, 30, 0.01)], [8])

    def cosine(t, top, low, period):
        return low + (top - low) * (1 + math.cos(math.pi * t / period)) / 2

    def one_cycle(t):
        top, first = 0.3 * count - 1, base / 25
        if t <= top:
            return cosine(t, first, base, top)
        return cosine(t - top, base, first / 1e4, count - 1 - top)

    losses = np.concatenate([np.linspace(1, 0.5, 10), np.full(20, 0.6), np.linspace(0.49, 0.4, 8), np.full(22, 0.45)])
    plateau = {"factor": 0.3, "patience": 3, "threshold": 0.01, "cooldown": 2, "min_lr": 0.001}
    tensors = {
        "step": rates(lambda o: scheduler.StepLR(o, 7)),
        "exponential": rates(lambda o: scheduler.ExponentialLR(o, 0.95)),
        "cosine": rates(lambda o: scheduler.CosineAnnealingLR(o, 50, 0.01)),
        "warmUp": rates(warm_up),
        "oneCycle": rates(lambda o: scheduler.OneCycleLR(o, base, count)),
        "plateau": rates(lambda o: scheduler.ReduceLROnPlateau(o, **plateau), losses=losses),
        "losses": losses,
    }
    fixture = Fixture("schedules", f"{VERSION.split(',')[0]} optim.lr_scheduler", {"variant": "schedules"}, tensors)
    fixture.check("step", [base * 0.1 ** (t // 7) for t in range(count)])
    fixture.check("exponential", [base * 0.95**t for t in range(count)])
    fixture.check("cosine", [cosine(t, base, 0.01, 50) for t in range(count)])
    fixture.check(
        "warmUp",
        [base * (0.1 + 0.9 * t / 8) if t < 8 else cosine(t - 8, base, 0.01, 30) for t in range(count)],
    )
    fixture.check("oneCycle", [one_cycle(t) for t in range(count)])
    fixture.write()


torch.set_num_threads(1)
keras.config.set_floatx("float64")
write_optimizers()
write_schedules()
