"""What scikit-learn and statsmodels make of the same: one JSON object in, one out. See python.ts."""

import json
import sys
import time
import warnings
from importlib.metadata import version

try:
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.metrics import cohen_kappa_score
    from sklearn.naive_bayes import GaussianNB
    from statsmodels.stats.inter_rater import fleiss_kappa
except ImportError as error:
    print(
        f"lacks {error.name}: on Debian, apt-get install python3-sklearn python3-statsmodels;"
        " elsewhere, pip install scikit-learn statsmodels",
        file=sys.stderr,
    )
    sys.exit(3)

# Without these two packages, what they would say is worked out here from the definitions.
try:
    import krippendorff
except ImportError:
    krippendorff = None
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from irrCAC.raw import CAC
except ImportError:
    CAC = None


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


LEVELS = {"alpha": "nominal", "ordinalAlpha": "ordinal", "intervalAlpha": "interval"}


def gaps(given):
    """Alpha at each level and AC1 of tables with ratings missing (-1), samples x raters, with who says so."""
    figures = []
    for table in given["tables"]:
        rows = np.array(table["rows"], dtype=float)
        rows[rows < 0] = np.nan
        classes = table["classes"]
        found = {name: alpha_of(rows, classes, level) for name, level in LEVELS.items()}
        figures.append({**found, "gwetAC1": ac1_of(rows, classes)})
    here = "the definition, in Python"
    return {
        "figures": figures,
        "alphaBy": here if krippendorff is None else f"krippendorff {version('krippendorff')}",
        "ac1By": here if CAC is None else f"irrCAC {version('irrCAC')}",
    }


def alpha_of(rows, classes, level):
    if krippendorff is None:
        return alpha_by_coincidences(rows, classes, level)
    domain = np.arange(classes)
    return krippendorff.alpha(reliability_data=rows.T, level_of_measurement=level, value_domain=domain)


def alpha_by_coincidences(rows, classes, level):
    """K. Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section D: from the coincidence matrix."""
    coincidences = np.zeros((classes, classes))
    for row in rows:
        said = row[~np.isnan(row)].astype(int)
        for i, one in enumerate(said):
            for j, other in enumerate(said):
                if i != j:
                    coincidences[one, other] += 1 / (len(said) - 1)
    totals = coincidences.sum(axis=0)
    n = totals.sum()
    distances = np.zeros((classes, classes))
    for c in range(classes):
        for k in range(classes):
            low, high = min(c, k), max(c, k)
            if level == "nominal":
                distances[c, k] = float(c != k)
            elif level == "interval":
                distances[c, k] = (c - k) ** 2
            else:
                distances[c, k] = (totals[low : high + 1].sum() - (totals[low] + totals[high]) / 2) ** 2
    return 1 - (n - 1) * (coincidences * distances).sum() / (np.outer(totals, totals) * distances).sum()


def ac1_of(rows, classes):
    if CAC is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cac = CAC(pd.DataFrame(rows), categories=list(range(classes)), digits=12)
            return cac.gwet()["est"]["coefficient_value"]
    # K. L. Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 5.
    counts = np.stack([(rows == label).sum(axis=1) for label in range(classes)], axis=1)
    sizes = counts.sum(axis=1)
    counts, sizes = counts[sizes > 0], sizes[sizes > 0]
    joint = sizes > 1
    agreeing = (counts * (counts - 1)).sum(axis=1)[joint] / (sizes * (sizes - 1))[joint]
    shares = (counts / sizes[:, None]).mean(axis=0)
    chance = (shares * (1 - shares)).sum() / (classes - 1)
    return (agreeing.mean() - chance) / (1 - chance)


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
json.dump({"tables": tables, "gaps": gaps, "recount": recount, "digits": digits}[asked["what"]](asked), sys.stdout)
