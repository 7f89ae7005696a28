"""Pictures of everything: images, kernels, feature maps, networks, trainings, still and moving.

The only part of the package that needs Matplotlib. Each function takes plain arrays (or a network,
where that is natural), returns a Figure, and leaves a text that says what it shows in
``figure.alt``. `style` and `projector` switch between the size of a page and of a lecture room.
"""

from cnnedu.visualization.animation import (
    Animation,
    animate_backward,
    animate_convolution,
    animate_pooling,
)
from cnnedu.visualization.attribution import (
    plot_adversarial,
    plot_gradcam,
    plot_maximization,
    plot_occlusion,
    plot_saliency,
)
from cnnedu.visualization.color import plot_color_filters, plot_regions
from cnnedu.visualization.competition import plot_winners
from cnnedu.visualization.curves import plot_bars, plot_curves, plot_spread
from cnnedu.visualization.descent import plot_descent, plot_paths
from cnnedu.visualization.edges import plot_arrows, plot_signals, plot_weight_paths
from cnnedu.visualization.embedding import plot_embedding
from cnnedu.visualization.figures import Figure, projector, style
from cnnedu.visualization.filters import plot_filters, plot_init_vs_learned
from cnnedu.visualization.flow import plot_flow
from cnnedu.visualization.images import plot_errors, plot_images
from cnnedu.visualization.layers import plot_activations, plot_equation, plot_im2col
from cnnedu.visualization.maps import plot_feature_maps, plot_responses
from cnnedu.visualization.networks import plot_network, plot_receptive_field
from cnnedu.visualization.patches import plot_exciting_patches
from cnnedu.visualization.rows import plot_rows
from cnnedu.visualization.signals import plot_overlap, plot_series, plot_sliding_sums
from cnnedu.visualization.time_machine import TrainingAnimation, animate_training
from cnnedu.visualization.training import plot_confusion, plot_history
from cnnedu.visualization.worked import (
    plot_backward_scatter,
    plot_matrix,
    plot_patch_product,
    plot_pooling,
)

__all__ = [
    "Animation",
    "Figure",
    "TrainingAnimation",
    "animate_backward",
    "animate_convolution",
    "animate_pooling",
    "animate_training",
    "plot_activations",
    "plot_adversarial",
    "plot_arrows",
    "plot_backward_scatter",
    "plot_bars",
    "plot_color_filters",
    "plot_confusion",
    "plot_curves",
    "plot_descent",
    "plot_embedding",
    "plot_equation",
    "plot_errors",
    "plot_exciting_patches",
    "plot_feature_maps",
    "plot_filters",
    "plot_flow",
    "plot_gradcam",
    "plot_history",
    "plot_im2col",
    "plot_images",
    "plot_init_vs_learned",
    "plot_matrix",
    "plot_maximization",
    "plot_network",
    "plot_occlusion",
    "plot_overlap",
    "plot_patch_product",
    "plot_paths",
    "plot_pooling",
    "plot_receptive_field",
    "plot_regions",
    "plot_responses",
    "plot_rows",
    "plot_saliency",
    "plot_series",
    "plot_signals",
    "plot_sliding_sums",
    "plot_spread",
    "plot_weight_paths",
    "plot_winners",
    "projector",
    "style",
]
