"""What scikit-learn and statsmodels make of the same: one JSON object in, one out. See python.ts."""

import json
import sys
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import cohen_kappa_score
from sklearn.naive_bayes import GaussianNB
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa


def tables(given):
    """Cohen's kappas of the first two raters and Fleiss' kappa of all, of each table (samples x raters)."""
    figures = []
    for table in given["tables"]:
        labels = list(range(table["classes"]))
        rows = np.array(table["rows"])
        one, other = rows[:, 0], rows[:, 1]
        counts = np.stack([(rows == label).sum(axis=1) for label in labels], axis=1)
        figures.append(
            {
                "kappa": cohen_kappa_score(one, other, labels=labels),
                "linearKappa": cohen_kappa_score(one, other, labels=labels, weights="linear"),
                "quadraticKappa": cohen_kappa_score(one, other, labels=labels, weights="quadratic"),
                "fleissKappa": fleiss_kappa(counts[:, counts.sum(axis=0) > 0], method="fleiss"),
            }
        )
    return figures


def recount(given):
    """Milliseconds for the kappas of all pairs, from answers as three columns."""
    sample, annotator, label = (np.array(given[name]) for name in ("sample", "annotator", "label"))
    said = {}
    for s, a, l in zip(sample.tolist(), annotator.tolist(), label.tolist()):
        said.setdefault(a, {})[s] = l
    begun = time.process_time()
    pairs = 0
    annotators = sorted(said)
    for i, a in enumerate(annotators):
        for b in annotators[:i]:
            shared = said[a].keys() & said[b].keys()
            if not shared:
                continue
            pairs += 1
            cohen_kappa_score([said[a][s] for s in shared], [said[b][s] for s in shared])
    return {"milliseconds": 1000 * (time.process_time() - begun), "pairs": pairs}


def digits(_):
    """A Gaussian naive Bayes learnt from the first 500 digits, on the others."""
    pixels, truth = load_digits(return_X_y=True)
    model = GaussianNB().fit(pixels[:500], truth[:500])
    shares = model.predict_proba(pixels[500:])
    return {
        "predicted": shares.argmax(axis=1).tolist(),
        "confidence": shares.max(axis=1).tolist(),
        "truth": truth[500:].tolist(),
    }


asked = json.load(sys.stdin)
json.dump({"tables": tables, "recount": recount, "digits": digits}[asked["what"]](asked), sys.stdout)
