"""A file that is not as it was written is an error that says so, never another result."""

import json
import pickle
import random
import zipfile
from hashlib import sha256

import numpy as np
import pytest

import bayesmlm as mlm
from bayesmlm.errors import BayesmlmError, SavedFitError


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, content, manifest=None, sign=()):
    """Write a zip; the hashes of the members in `sign` are made right."""
    listed = json.loads(content["manifest.json"])
    for name in sign:
        data = content[name]
        listed["members"][name] = {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
    content["manifest.json"] = json.dumps({**listed, **(manifest or {})}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def refused(path, *words):
    with pytest.raises(SavedFitError) as caught:
        mlm.load(path)
    text = str(caught.value)
    for word in (*words, str(path), "allowed:", "next:"):
        assert word in text
    return text


def test_a_file_that_is_not_there(tmp_path):
    refused(tmp_path / "fit.zip", "there is no file")


def test_a_folder(tmp_path):
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize("content", [b"", b"P", b"school,y\n1,2\n", bytes(5000)])
def test_a_file_of_another_kind(content, tmp_path):
    (tmp_path / "fit.zip").write_bytes(content)
    refused(tmp_path / "fit.zip", "is not a saved fit", "not a zip file")


def test_another_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "fit.zip", "w") as archive:
        archive.writestr("letter.txt", "hello")
    refused(tmp_path / "fit.zip", "is not a saved fit", "without a manifest")


def test_a_zip_with_a_manifest_of_its_own(saved):
    write(saved, members(saved), {"format": "luggage"})
    refused(saved, "is not a saved fit", "'luggage'")


def test_a_version_to_come_says_who_wrote_it_and_what_is_read_here(saved):
    write(saved, members(saved), {"version": 2, "written_by": "bayesmlm 9.1"})
    refused(saved, "format version 2", "bayesmlm 9.1", "format versions 1")


@pytest.mark.parametrize("name", ["design.json", "tree/posterior/beta.npy", "manifest.json"])
def test_a_missing_member(name, saved):
    content = members(saved)
    if name == "manifest.json":
        del content[name]
        with zipfile.ZipFile(saved, "w") as archive:
            for key, data in content.items():
                archive.writestr(key, data)
        refused(saved, "without a manifest")
    else:
        del content[name]
        write(saved, content)
        refused(saved, "lacks member", name)


def test_an_extra_member(saved):
    write(saved, {**members(saved), "extra.json": b"{}"})
    refused(saved, "unlisted member 'extra.json'")


def test_a_member_twice(saved):
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("spec.json", b"{}")
    refused(saved, "repeats member 'spec.json'")


@pytest.mark.parametrize("name", ["spec.json", "design/X.npy", "tree/posterior/u_school.npy"])
def test_a_member_that_was_changed(name, saved):
    content = members(saved)
    content[name] = content[name][:-9] + b"\x01" + content[name][-8:]
    write(saved, content)
    refused(saved, "was changed", name)


def test_a_size_that_was_changed_in_the_directory_of_the_zip(saved):
    whole = bytearray(saved.read_bytes())
    at = whole.rindex(b"design/random/0/grouping/codes.npy")  # its entry in the directory
    whole[at - 46 + 26] ^= 1  # the third byte of the size of the content
    saved.write_bytes(whole)
    refused(saved, "was changed", "codes.npy")


def test_members_that_were_exchanged(saved):
    content = members(saved)
    one, other = "tree/posterior/sd_school.npy", "tree/posterior/u_school.npy"
    content[one], content[other] = content[other], content[one]
    write(saved, content)
    refused(saved, "was changed")


def test_a_truncated_file(saved):
    whole = saved.read_bytes()
    for length in np.linspace(4, len(whole) - 1, 60).astype(int):
        saved.write_bytes(whole[:length])
        refused(saved)


def test_a_changed_byte_is_found_or_means_nothing(saved, tmp_path):
    whole = saved.read_bytes()
    generator = random.Random(1)
    tail = range(len(whole) - 400, len(whole))
    found = 0
    for at in [*generator.sample(range(len(whole)), 250), *tail]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << generator.randrange(8)
        saved.write_bytes(damaged)
        try:
            fit = mlm.load(saved)
        except SavedFitError:
            found += 1
        else:  # a date or a permission in the zip's own records
            fit.save(tmp_path / "again.zip")
            assert (tmp_path / "again.zip").read_bytes() == whole
    assert found > 400


def altered(content, name, edit):
    """Alter a member of JSON, with its hash."""
    value = json.loads(content[name])
    edit(value)
    content[name] = json.dumps(value).encode()
    return content


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda spec: spec.update({"$": "Popen"}), ("the class 'Popen'",)),
        (lambda spec: spec.update({"colour": 1}), ("the field 'colour' of ModelSpec",)),
        (lambda spec: spec.update({"declared": {"$call": ["ls"]}}), ("the form '$call'",)),
        (lambda spec: spec.pop("responses"), ("missing 1 required",)),
    ],
)
def test_what_another_release_or_a_stranger_wrote_is_not_made(edit, words, saved):
    write(saved, altered(members(saved), "spec.json", edit), sign=["spec.json"])
    with pytest.raises(SavedFitError) as caught:
        mlm.load(saved)
    for word in words:
        assert word in str(caught.value)


def test_expressions_are_held_against_the_language(saved):
    content = members(saved)
    text = content["design.json"].decode().replace('"x"', "\"__import__('os').getpid()\"")
    content["design.json"] = text.encode()
    write(saved, content, sign=["design.json"])
    refused(saved, "__import__")


def test_a_pickle_is_not_read(saved):
    class Bomb:
        def __reduce__(self):
            return (print, ("read!",))

    content = members(saved)
    array = np.array([Bomb()], dtype=object)
    head = content["design/X.npy"]
    import io

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    assert b"read!" in buffer.getvalue() and head[:6] == buffer.getvalue()[:6]
    content["design/X.npy"] = buffer.getvalue()
    write(saved, content, sign=["design/X.npy"])
    refused(saved, "pickle")
    content["spec.json"] = pickle.dumps(1)
    write(saved, content, sign=["spec.json"])
    refused(saved)


def test_only_errors_of_our_own_leave(saved):
    content = members(saved)
    for name in content:
        if name != "manifest.json":
            write(saved, {**content, name: b"\x93NUMPY\xff"}, sign=[name])
            with pytest.raises(BayesmlmError):
                mlm.load(saved)
