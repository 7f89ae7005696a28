"""Tell learners whether, and why not, their exercises are right.

``checks.correlate2d(my_function)`` prints one of three things, and never stops a notebook:

- ``○ not attempted yet``,
- ``✓ right``, with a sentence on what was built,
- ``✗`` and a diagnosis, with the smallest input that shows it.

``checks.correlate2d.hint()`` prints the first step. `EXERCISES` lists the exercises of every
lesson, rising in difficulty; `framework` tells how to write one.
"""

from cnnedu.checks.framework import Exercise, Mistake, Verdict, WrongAnswer, exercise

# isort: split
# The exercises come after the framework they are made with.
from cnnedu.checks.attribution import (
    class_activation,
    neighbor_share,
    occlusion_drop,
    sign_step,
)
from cnnedu.checks.competition import (
    compare_gradients,
    compete,
    compete_backward,
    softmax_backward,
)
from cnnedu.checks.convolution import (
    convolve2d,
    correlate1d,
    correlate2d,
    correlate2d_strided,
    output_size,
)
from cnnedu.checks.deeper import (
    dropout,
    nesterov_step,
    shift_image,
    triangular_rate,
)
from cnnedu.checks.edge_kernels import (
    diagonal_edge_kernel,
    edge_strength,
    gaussian_kernel,
    separable_factors,
)
from cnnedu.checks.fast_convolution import (
    count_multiplications,
    fft_convolve,
    patch_columns,
    winograd_1d,
)
from cnnedu.checks.feature_maps import (
    filter_start_correlation,
    most_exciting,
    normalize_for_display,
    receptive_field,
)
from cnnedu.checks.grids import (
    correlate_channels,
    opponent_channels,
    read_record,
    which_motif,
)
from cnnedu.checks.handwriting import (
    center_ink,
    crop_to_ink,
    honest_share,
    white_on_black,
)
from cnnedu.checks.layers import (
    conv_grad_input,
    conv_grad_weight,
    conv_layer_parameters,
    max_pool,
    max_pool_backward,
    stable_softmax,
    stacked_grad_input,
)
from cnnedu.checks.training import (
    accuracy,
    confusion_matrix,
    cross_entropy,
    iterate_minibatches,
    sgd_step,
)

EXERCISES = {
    1: ["output_size", "correlate1d", "correlate2d", "convolve2d", "correlate2d_strided"],
    2: ["diagonal_edge_kernel", "edge_strength", "gaussian_kernel", "separable_factors"],
    3: [
        "conv_layer_parameters",
        "max_pool",
        "stable_softmax",
        "conv_grad_weight",
        "conv_grad_input",
        "stacked_grad_input",
        "max_pool_backward",
    ],
    4: ["accuracy", "cross_entropy", "sgd_step", "iterate_minibatches", "confusion_matrix"],
    5: [
        "receptive_field",
        "normalize_for_display",
        "filter_start_correlation",
        "most_exciting",
    ],
    6: ["dropout", "nesterov_step", "triangular_rate", "shift_image"],
    7: ["compete", "compete_backward", "compare_gradients", "softmax_backward"],
    8: ["white_on_black", "crop_to_ink", "center_ink", "honest_share"],
    9: ["occlusion_drop", "class_activation", "sign_step", "neighbor_share"],
    10: ["correlate_channels", "opponent_channels", "read_record", "which_motif"],
    11: ["patch_columns", "count_multiplications", "fft_convolve", "winograd_1d"],
}

__all__ = [
    "EXERCISES",
    "Exercise",
    "Mistake",
    "Verdict",
    "WrongAnswer",
    "accuracy",
    "center_ink",
    "class_activation",
    "compare_gradients",
    "compete",
    "compete_backward",
    "confusion_matrix",
    "conv_grad_input",
    "conv_grad_weight",
    "conv_layer_parameters",
    "convolve2d",
    "correlate1d",
    "correlate2d",
    "correlate2d_strided",
    "correlate_channels",
    "count_multiplications",
    "crop_to_ink",
    "cross_entropy",
    "diagonal_edge_kernel",
    "dropout",
    "edge_strength",
    "exercise",
    "fft_convolve",
    "filter_start_correlation",
    "gaussian_kernel",
    "honest_share",
    "iterate_minibatches",
    "max_pool",
    "max_pool_backward",
    "most_exciting",
    "neighbor_share",
    "nesterov_step",
    "normalize_for_display",
    "occlusion_drop",
    "opponent_channels",
    "output_size",
    "patch_columns",
    "read_record",
    "receptive_field",
    "separable_factors",
    "sgd_step",
    "shift_image",
    "sign_step",
    "softmax_backward",
    "stable_softmax",
    "stacked_grad_input",
    "triangular_rate",
    "which_motif",
    "white_on_black",
    "winograd_1d",
]
