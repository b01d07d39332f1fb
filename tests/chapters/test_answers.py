"""What is said of an answer that is none, of another shape, or not of finite numbers."""

import pytest
import torch

from lewm_lite.chapters.answers import not_a_cloud


@pytest.mark.parametrize(
    ("cloud", "said"),
    [
        (None, "put a tensor of shape (4, 2) in the place of None"),
        (torch.zeros(2, 4), "must be (4, 2), got (2, 4)"),
        (torch.full((4, 2), float("nan")), "finite"),
    ],
)
def test_what_is_no_cloud_is_told_why(cloud, said):
    assert said in not_a_cloud(cloud, (4, 2))


def test_a_cloud_is_let_pass():
    assert not_a_cloud(torch.zeros(4, 2), (4, 2)) == ""
