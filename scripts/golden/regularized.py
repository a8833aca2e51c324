"""Golden fixtures of networks in training, with everything that may be left out: no peer can be given its masks, so the
equations in NumPy compute them, and complex steps their gradients, which need no backward code."""

import numpy as np

from equations import SUFFIXES, network
from fixture import BATCHES, CONSTANTS, Fixture, as_json, configuration, gradient, random_network
from masks import Masks

RATES = {"dropout": 0.25, "inputDropout": 0.2, "recurrentDropout": 0.4, "zoneout": 0.3, "cellZoneout": 0.1}


def write(cell, direction, **options):
    facts = configuration(cell, direction, layers=2, **options)
    some = "both" if len(SUFFIXES[direction]) == 2 else direction
    projection = ".projection" if options else ""
    name = f"masked-{cell}{projection}-L2-{some}-ragged"
    case = random_network(name, facts, "ragged")
    rates = RATES | ({} if cell.startswith("lstm") else {"cellZoneout": 0})
    seed = len(name)
    masks = Masks(facts, rates, BATCHES["ragged"], len(case["x"]), seed)

    def outputs(tensors):
        return network(facts, tensors, masks)

    def objective(tensors):
        return sum(np.sum(value * case[f"d{name}"]) for name, value in outputs(tensors).items())

    leaves = [name for name in case if name not in CONSTANTS]
    result = case | outputs(case) | {f"grad.{name}": gradient(objective, case, name) for name in leaves}
    metadata = {"sluice.configuration": as_json(facts), "sluice.regularization": as_json(rates), "seed": str(seed)}
    Fixture(name, f"numpy {np.__version__} equations.py and masks.py", metadata, result).write()


write("gru.chung2014", "forward")
write("gru.resetBefore", "bidirectional")
write("gru.resetAfter", "bidirectional")
write("gru.layerNormalized", "backward")
write("lstm.standard", "bidirectional")
write("lstm.peephole", "forward")
write("lstm.layerNormalized", "bidirectional", projectionSize=2)
write("rnn.tanh", "backward")
