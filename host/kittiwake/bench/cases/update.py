"""Costs of an update: a signature judged, in one go and in the longest of its steps, and the heap it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.registry import Case, register

# A key made for this, and its signature of "kittiwake".
_MODULUS = bytes.fromhex(
    "e8f227aa12d4f82dea9167b7f31d25421d92530a3e790ff6203ff89d6469e25f2e24e92e73e31dc2ae5963fc69a65ca572e5e47f27848b44"
    "2118acb6a649214c76d5a7628ba7165815a261c2727b3371d0dec8d957688c823a3d7a095681944e12c9bd0e189c1ccf36cc720abdf5683f"
    "f3b56e7e714c90ed9c3109381388dedd3bfee1f14c166193920d4eeda12459b87d476f7aca3b6fb28263c9aa44346d8d33d2808b253c547a"
    "4564a13dfe14cd81e64a717a1aab71ddde93fbf44066b859598f98e01a24db5b4f506b055b7ffc69a25bfb7a06d2767988be735b8b0f88f4"
    "6990056a578d3950f5a977adf7ad70419a18f707e1edcd466942aceba7b673351cdb9aaef3c73a4344b7468058d6f53a3f36f922e35f2a57"
    "b88fcff85f03e8e0465cf232cc15616105f0859e52e43d31eba0671f99ef31c9b055479c73bc6a680eaa4df2ffc25903db1000300785ad23"
    "2da9a496123417219835601275756ebc0a5c8009b544c9601c8bc8eac9f267ffbf520822d9ce43e262b617b09fef0bb3"
)
_SIGNATURE = bytes.fromhex(
    "754f42b3ce188f348ae6dd6f510540a8e16963bd5c8568ce81880b8ca17ac150b4673105f7b4e93e25c99d84d2cc1d7d1e58e8dc1f5703de"
    "49c4d93510b78853a0346cdd1f6034ed30e8dce46744dbdc3649448481506f50ff77657acf654f37218a897513a3d1d58cabd8fda161dead"
    "53937da6defee76b0fce147183c4b6bc8176c152f7fc8bc8c258e9297b0cd736e4b49f839e7b89c8bcc12321523f36ecc64f629765e21ae2"
    "9c6792f0138345f274eca4a754e9c43f7dc40565aef208b5bf26cbf027eee44a528fed46d3a7ad187a0f105f3e7579beae1603bdf3ab181b"
    "710b87187f249fb7bb6b5ed071f2179ad4bc7a7e62ddd3e2c24a82eb1c07ab6803dc3c9fa5bd2beff009e3acde12cc012931f4b0794b5995"
    "ed4fe963f1f8ef6ec61e65ef59ad8ea1502f7bc81e894a90f11bb2df711d9a6b483477dc80eac99ad7e5ed3c38df28627e0b1c87de0438e0"
    "0e583a666b57eb15aa383fd8d84f17905ef19a77f44ecbe8e6a8958495d08a5df5a64a31460dd7a484b87dd87e3f0277"
)
_DIGEST = hashlib.sha256(b"kittiwake").digest()


@register
def _update(kernels: list[str]) -> Iterator[Case]:
    source = board_code.source("bench/update")
    arguments = (_MODULUS, _DIGEST, _SIGNATURE)
    yield Case(
        "update/signature",
        source,
        "release",
        budget=12_000_000,
        aim=4_000_000,
        allocates=True,
        make="make_verify",
        arguments=arguments,
    )
    yield Case(
        "update/signature-step",
        source,
        "turn",
        budget=2_000_000,
        allocates=True,
        make="make_step",
        arguments=arguments,
    )
    yield Case(
        "update/signature-heap",
        source,
        "release",
        unit="bytes",
        budget=8192,
        make="make_heap",
        arguments=arguments,
    )
