"""Files for financial intelligence units, as another parser reads them: the golden files of the
crate filings by the expat of Python, held against the reports that they were written from.
"""

import json
import math
import pathlib
import xml.etree.ElementTree as ElementTree
from decimal import Decimal

FINCEN = "{www.fincen.gov/base}"


def read(root, name):
    folder = root / "crates" / "filings" / "tests"
    report = json.loads((folder / "reports" / f"{name}.json").read_text())
    return report, ElementTree.parse(folder / "golden" / f"{name}.xml").getroot()


def local(transaction):
    return Decimal((transaction.get("local") or transaction["amount"])["value"])


def suspicious(report):
    return [one for one in report["transactions"] if one.get("is_suspicious", True)]


def fincen(root: pathlib.Path):
    report, batch = read(root, "us_bsa")
    numbers = [node.get("SeqNum") for node in batch.iter() if node.get("SeqNum")]
    assert numbers == [str(number + 1) for number in range(len(numbers))], numbers
    total = sum(local(one) for one in suspicious(report))
    assert batch.get("TotalAmount") == str(math.ceil(total)), total
    roles = [node.text for node in batch.iter(f"{FINCEN}ActivityPartyTypeCode")]
    assert roles.count("33") == sum(party.get("is_subject", False) for party in report["parties"])
    parts = [node.text for node in batch.iter(f"{FINCEN}ActivityNarrativeText")]
    assert " ".join(parts) == report["narrative"]
    names = [node.text for node in batch.iter(f"{FINCEN}RawEntityIndividualLastName")]
    assert names == [legal_name(party["who"]) for party in report["parties"] if party.get("is_subject")], names


def legal_name(who: dict) -> str:
    return who["person"]["last_name"] if "person" in who else who["company"]["name"]


def goaml(root: pathlib.Path):
    report, node = read(root, "eu")
    assert node.findtext("reason") == f"{report['reason']}\n{report['narrative']}"
    amounts = [Decimal(one.text) for one in node.iter("amount_local")]
    assert amounts == [local(one) for one in report["transactions"]], amounts
    assert node.find("transaction/t_from_my_client/from_account") is not None
    assert node.find("transaction/t_to/to_person") is not None


def pboc(root: pathlib.Path):
    report, node = read(root, "cn_pboc")
    amounts = [Decimal(one.text) for one in node.iter("CRAT")]
    assert amounts == [local(one) for one in suspicious(report)], amounts
    assert node.findtext("RBIF/STCB") == report["narrative"]
    assert node.findtext("RBIF/STNM") == str(len(amounts))


def run(root: pathlib.Path):
    fincen(root)
    goaml(root)
    pboc(root)
