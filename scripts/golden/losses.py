"""Golden fixtures of PyTorch's losses in float64: values and gradients, `reduction="mean"`."""

import numpy as np
import torch
from torch.nn import functional as F

from fixture import Fixture

SOURCE = f"torch {torch.__version__.split('+')[0]} nn.functional"
ROWS, OUTPUTS = 37, 5
IGNORED = 2
WEIGHTS = np.array([0.5, 2.0, 1.0, 0.25, 3.0])
SMOOTHING = 0.1
LEVEL = 0.9
EXTREME = [0.0, 1e4, -1e4, 1e-4, 40.0, -40.0, 800.0, -800.0]


def pinball(o, y):
    """PyTorch has none of its own."""
    return torch.maximum(LEVEL * (y - o), (LEVEL - 1) * (y - o)).mean()


def torch_losses(case):
    """By name: the loss as a function of the outputs."""
    y, p, q, classes = (torch.from_numpy(case[name]) for name in ("targets", "probabilities", "distributions", "classes"))
    labels = classes[:, 0].long()
    w = torch.from_numpy(WEIGHTS)

    def entropy(target, **options):
        return lambda o: F.cross_entropy(o, target, **options)

    return {
        "meanSquared": lambda o: F.mse_loss(o, y),
        "meanAbsolute": lambda o: F.l1_loss(o, y),
        "huber": lambda o: F.huber_loss(o, y),
        "huber0.3": lambda o: F.huber_loss(o, y, delta=0.3),
        "quantile": lambda o: pinball(o, y),
        "binaryCrossEntropy": lambda o: F.binary_cross_entropy_with_logits(o, p),
        "classes": entropy(labels),
        "classes.ignored": entropy(labels, ignore_index=IGNORED),
        "classes.weights": entropy(labels, weight=w),
        "classes.smooth": entropy(labels, label_smoothing=SMOOTHING),
        "classes.all": entropy(labels, weight=w, ignore_index=IGNORED, label_smoothing=SMOOTHING),
        "probabilities": entropy(q),
        "probabilities.all": entropy(q, weight=w, label_smoothing=SMOOTHING),
    }


def log_softmax(o):
    o = o - o.real.max(axis=1, keepdims=True)
    return o - np.log(np.exp(o).sum(axis=1, keepdims=True))


def numpy_losses(case):
    """The same from the formulas of Training/Loss.swift; outputs may be complex."""
    y, p, q = case["targets"], case["probabilities"], case["distributions"]
    labels = case["classes"][:, 0].astype(int)
    hot = np.eye(OUTPUTS)[labels]

    def huber(o, delta):
        e = o - y
        size = np.where(e.real < 0, -e, e)
        return np.where(size.real <= delta, e**2 / 2, delta * (size - delta / 2)).mean()

    def classes(o, w=np.ones(OUTPUTS), ignored=-100, s=0.0):
        kept = labels != ignored
        t = w * ((1 - s) * hot + s / OUTPUTS)
        return -(t * log_softmax(o))[kept].sum() / w[labels[kept]].sum()

    def binary(o):
        positive = o.real > 0
        rest = np.log(1 + np.exp(np.where(positive, -o, o)))
        return (rest + np.where(positive, o, 0) - p * o).mean()

    return {
        "meanSquared": lambda o: ((o - y) ** 2).mean(),
        "meanAbsolute": lambda o: np.where((o - y).real < 0, y - o, o - y).mean(),
        "huber": lambda o: huber(o, 1),
        "huber0.3": lambda o: huber(o, 0.3),
        "quantile": lambda o: np.where((y - o).real > 0, LEVEL * (y - o), (LEVEL - 1) * (y - o)).mean(),
        "binaryCrossEntropy": binary,
        "classes": classes,
        "classes.ignored": lambda o: classes(o, ignored=IGNORED),
        "classes.weights": lambda o: classes(o, w=WEIGHTS),
        "classes.smooth": lambda o: classes(o, s=SMOOTHING),
        "classes.all": lambda o: classes(o, WEIGHTS, IGNORED, SMOOTHING),
        "probabilities": lambda o: -(q * log_softmax(o)).sum() / ROWS,
        "probabilities.all": lambda o: -(WEIGHTS * ((1 - SMOOTHING) * q + SMOOTHING / OUTPUTS) * log_softmax(o)).sum()
        / ROWS,
    }


def write(name, outputs):
    random = np.random.default_rng(17)
    distributions = random.random((ROWS, OUTPUTS))
    case = {
        "outputs": outputs,
        "targets": random.normal(size=(ROWS, OUTPUTS)),
        "probabilities": np.where(random.random((ROWS, OUTPUTS)) < 0.5, random.random((ROWS, OUTPUTS)).round(), 0.3),
        "distributions": distributions / distributions.sum(axis=1, keepdims=True),
        "classes": random.integers(0, OUTPUTS, (ROWS, 1)).astype(float),
        "classWeights": WEIGHTS,
    }
    result = dict(case)
    for loss, function in torch_losses(case).items():
        o = torch.from_numpy(outputs).requires_grad_()
        value = function(o)
        result[f"{loss}.value"] = value.detach().numpy().reshape(1)
        result[f"{loss}.gradient"] = torch.autograd.grad(value, o)[0].numpy()
    fixture = Fixture(name, SOURCE, {"variant": "losses"}, result)
    for loss, function in numpy_losses(case).items():
        fixture.check(f"{loss}.value", [function(outputs)])
        gradient = np.empty(outputs.shape)
        for i in np.ndindex(outputs.shape):
            moved = outputs.astype(complex)
            moved[i] += 1e-30j
            gradient[i] = function(moved).imag / 1e-30
        fixture.check(f"{loss}.gradient", gradient)
    fixture.write()


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
random = np.random.default_rng(16)
write("losses", random.normal(scale=2, size=(ROWS, OUTPUTS)))
write("losses-extreme", random.choice(EXTREME, (ROWS, OUTPUTS)) + random.normal(scale=1e-3, size=(ROWS, OUTPUTS)))
