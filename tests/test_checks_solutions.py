"""Hold a model solution of every exercise to its check: what the lessons' solutions print."""

import inspect
import math

import numpy as np
import pytest
from scipy import fft, signal

from cnnedu import checks
from cnnedu.kernels import kernel as named_kernel


class Solutions:
    """Short code as a learner would write it, loops welcome."""

    @staticmethod
    def output_size(size, kernel_size, stride, padding, dilation):
        reach = dilation * (kernel_size - 1) + 1
        return (size + 2 * padding - reach) // stride + 1

    @staticmethod
    def correlate1d(signal, kernel):
        positions = len(signal) - len(kernel) + 1
        return np.array([np.sum(signal[i : i + len(kernel)] * kernel) for i in range(positions)])

    @staticmethod
    def correlate2d(image, kernel):
        kernel_height, kernel_width = kernel.shape
        height = image.shape[0] - kernel_height + 1
        width = image.shape[1] - kernel_width + 1
        result = np.zeros((height, width))
        for i in range(height):
            for j in range(width):
                result[i, j] = np.sum(image[i : i + kernel_height, j : j + kernel_width] * kernel)
        return result

    @staticmethod
    def convolve2d(image, kernel):
        return Solutions.correlate2d(image, kernel[::-1, ::-1])

    @staticmethod
    def correlate2d_strided(image, kernel, stride, padding):
        padded = np.pad(image, padding)
        kernel_height, kernel_width = kernel.shape
        height = (padded.shape[0] - kernel_height) // stride + 1
        width = (padded.shape[1] - kernel_width) // stride + 1
        result = np.zeros((height, width))
        for i in range(height):
            for j in range(width):
                top, left = i * stride, j * stride
                patch = padded[top : top + kernel_height, left : left + kernel_width]
                result[i, j] = np.sum(patch * kernel)
        return result

    @staticmethod
    def diagonal_edge_kernel():
        return np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])

    @staticmethod
    def edge_strength(image):
        calm = signal.correlate2d(image, named_kernel("gaussian_blur"), mode="valid")
        gx = signal.correlate2d(calm, named_kernel("sobel_x"), mode="valid")
        gy = signal.correlate2d(calm, named_kernel("sobel_y"), mode="valid")
        return np.sqrt(gx**2 + gy**2)

    @staticmethod
    def gaussian_kernel(size, sigma):
        x = np.arange(size) - size // 2
        bell = np.exp(-(x[:, None] ** 2 + x**2) / (2 * sigma**2))
        return bell / bell.sum()

    @staticmethod
    def separable_factors(matrix):
        i, j = np.unravel_index(np.abs(matrix).argmax(), matrix.shape)
        return matrix[:, j] / matrix[i, j], matrix[i]

    @staticmethod
    def conv_layer_parameters(in_channels, out_channels, kernel_size, bias):
        weights = out_channels * in_channels * kernel_size**2
        return weights + out_channels if bias else weights

    @staticmethod
    def max_pool(feature_map):
        height, width = feature_map.shape
        result = np.zeros((height // 2, width // 2))
        for i in range(height // 2):
            for j in range(width // 2):
                result[i, j] = feature_map[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
        return result

    @staticmethod
    def stable_softmax(logits):
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    @staticmethod
    def conv_grad_weight(grad_y, x):
        height, width = grad_y.shape
        grad_weight = np.zeros((x.shape[0] - height + 1, x.shape[1] - width + 1))
        for i in range(height):
            for j in range(width):
                patch = x[i : i + grad_weight.shape[0], j : j + grad_weight.shape[1]]
                grad_weight += grad_y[i, j] * patch
        return grad_weight

    @staticmethod
    def conv_grad_input(grad_y, weight):
        height, width = grad_y.shape
        kernel_height, kernel_width = weight.shape
        grad_x = np.zeros((height + kernel_height - 1, width + kernel_width - 1))
        for i in range(height):
            for j in range(width):
                grad_x[i : i + kernel_height, j : j + kernel_width] += grad_y[i, j] * weight
        return grad_x

    @staticmethod
    def stacked_grad_input(grad_y, first_kernels, second_kernel):
        shares = []
        for kernel, channel in zip(first_kernels, second_kernel, strict=True):
            grad_map = Solutions.conv_grad_input(grad_y, channel)
            shares.append(Solutions.conv_grad_input(grad_map, kernel))
        return sum(shares)

    @staticmethod
    def max_pool_backward(grad_y, x):
        grad_x = np.zeros(x.shape)
        for i in range(grad_y.shape[0]):
            for j in range(grad_y.shape[1]):
                window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                row, column = divmod(window.argmax(), 2)
                grad_x[2 * i + row, 2 * j + column] = grad_y[i, j]
        return grad_x

    @staticmethod
    def accuracy(logits, labels):
        return np.mean(logits.argmax(axis=1) == labels)

    @staticmethod
    def cross_entropy(probabilities, labels):
        given = probabilities[np.arange(len(labels)), labels]
        return -np.mean(np.log(given))

    @staticmethod
    def sgd_step(params, grads, learning_rate):
        return {name: params[name] - learning_rate * grads[name] for name in params}

    @staticmethod
    def iterate_minibatches(n, batch_size, rng):
        order = rng.permutation(n)
        for start in range(0, n, batch_size):
            yield order[start : start + batch_size]

    @staticmethod
    def confusion_matrix(labels, predictions, classes):
        matrix = np.zeros((classes, classes), dtype=int)
        for label, prediction in zip(labels, predictions, strict=True):
            matrix[label, prediction] += 1
        return matrix

    @staticmethod
    def receptive_field(kernel_sizes, strides):
        field, jump = 1, 1
        for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
            field += (kernel_size - 1) * jump
            jump *= stride
        return field

    @staticmethod
    def normalize_for_display(filters):
        largest = np.abs(filters).max()
        if largest == 0:
            return np.full(filters.shape, 0.5)
        return 0.5 + filters / (2 * largest)

    @staticmethod
    def filter_start_correlation(initial, learned):
        pairs = zip(initial, learned, strict=True)
        return np.array([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs])

    @staticmethod
    def most_exciting(maps, channel):
        one_channel = maps[:, channel]
        return np.unravel_index(one_channel.argmax(), one_channel.shape)

    @staticmethod
    def occlusion_drop(image, weights, size):
        height, width = image.shape
        result = np.zeros((height - size + 1, width - size + 1))
        for i in range(height - size + 1):
            for j in range(width - size + 1):
                covered = image.copy()
                covered[i : i + size, j : j + size] = 0
                before, after = (weights * image).sum(), (weights * covered).sum()
                result[i, j] = max(0, before) - max(0, after)
        return result

    @staticmethod
    def class_activation(maps, gradients):
        total = np.zeros(maps.shape[1:])
        for each, gradient in zip(maps, gradients, strict=True):
            total += gradient.mean() * each
        return np.where(total > 0, total, 0)

    @staticmethod
    def sign_step(image, gradient, size):
        moved = image + size * np.sign(gradient)
        moved[moved < 0] = 0
        moved[moved > 1] = 1
        return moved

    @staticmethod
    def neighbor_share(points, labels):
        right = 0
        for i in range(len(points)):
            distances = [np.sqrt(((p - points[i]) ** 2).sum()) for p in points]
            distances[i] = np.inf
            right += labels[np.argmin(distances)] == labels[i]
        return right / len(points)

    @staticmethod
    def correlate_channels(image, kernel):
        kernel_height, kernel_width = kernel.shape[1:]
        height = image.shape[1] - kernel_height + 1
        width = image.shape[2] - kernel_width + 1
        result = np.zeros((height, width))
        for i in range(height):
            for j in range(width):
                patch = image[:, i : i + kernel_height, j : j + kernel_width]
                result[i, j] = np.sum(patch * kernel)
        return result

    @staticmethod
    def opponent_channels(image):
        red, green, blue = image
        return np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2])

    @staticmethod
    def read_record(record, size):
        return int(record[0]), record[1:].reshape(3, size, size) / 255

    @staticmethod
    def which_motif(signal, motifs):
        best = [np.correlate(signal, motif, "valid").max() for motif in motifs]
        return int(np.argmax(best))

    @staticmethod
    def patch_columns(image, kernel_size):
        height, width = image.shape
        columns = [
            image[i : i + kernel_size, j : j + kernel_size].ravel()
            for i in range(height - kernel_size + 1)
            for j in range(width - kernel_size + 1)
        ]
        return np.stack(columns, axis=1)

    @staticmethod
    def count_multiplications(height, width, channels, kernels, kernel_size, tile):
        rows, columns = height - kernel_size + 1, width - kernel_size + 1
        tiles = math.ceil(rows / tile) * math.ceil(columns / tile)
        return tiles * (tile + kernel_size - 1) ** 2 * channels * kernels

    @staticmethod
    def fft_convolve(image, kernel):
        height = image.shape[0] + kernel.shape[0] - 1
        width = image.shape[1] + kernel.shape[1] - 1
        shape = (height, width)
        return fft.irfft2(fft.rfft2(image, shape) * fft.rfft2(kernel, shape), shape)

    @staticmethod
    def winograd_1d(signal, kernel):
        g0, g1, g2 = kernel
        padded = np.append(signal, 0)  # for a last tile with one answer
        answers = np.zeros(len(signal))
        for start in range(0, len(signal) - 2, 2):
            d0, d1, d2, d3 = padded[start : start + 4]
            m1 = (d0 - d2) * g0
            m2 = (d1 + d2) * (g0 + g1 + g2) / 2
            m3 = (d2 - d1) * (g0 - g1 + g2) / 2
            m4 = (d1 - d3) * g2
            answers[start : start + 2] = m1 + m2 + m3, m2 - m3 - m4
        return answers[: len(signal) - 2]

    @staticmethod
    def compete(maps):
        kernels, height, width = maps.shape
        answers, winners = np.zeros((height, width)), np.zeros((height, width), dtype=int)
        for i in range(height):
            for j in range(width):
                for k in range(1, kernels):
                    if maps[k, i, j] > maps[winners[i, j], i, j]:
                        winners[i, j] = k
                answers[i, j] = maps[winners[i, j], i, j]
        return answers, winners

    @staticmethod
    def compete_backward(grad_y, maps):
        grad_maps = np.zeros(maps.shape)
        for i in range(maps.shape[1]):
            for j in range(maps.shape[2]):
                grad_maps[maps[:, i, j].argmax(), i, j] = grad_y[i, j]
        return grad_maps

    @staticmethod
    def compare_gradients(computed, measured):
        a, b = computed.ravel(), measured.ravel()
        sizes = np.linalg.norm(a), np.linalg.norm(b)
        return np.linalg.norm(a - b) / max(sizes), a @ b / (sizes[0] * sizes[1])

    @staticmethod
    def softmax_backward(p, grad_p):
        derivative = np.diag(p) - np.outer(p, p)
        return derivative @ grad_p

    @staticmethod
    def dropout(x, rate, draws, training):
        if not training:
            return x
        y = x.copy()
        y[draws < rate] = 0
        return y / (1 - rate)

    @staticmethod
    def nesterov_step(w, v, slope, rate, momentum):
        push = -rate * slope
        v = momentum * v + push
        return w + push + momentum * v, v

    @staticmethod
    def triangular_rate(progress, peak, rise):
        return peak * min(progress / rise, (1 - progress) / (1 - rise))

    @staticmethod
    def shift_image(image, down, right):
        moved = np.zeros_like(image)
        for row in range(image.shape[0]):
            for column in range(image.shape[1]):
                i, j = row - down, column - right
                if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                    moved[row, column] = image[i, j]
        return moved

    @staticmethod
    def white_on_black(page):
        return page if np.median(page) <= 0.5 else 1 - page

    @staticmethod
    def crop_to_ink(image, threshold):
        places = np.argwhere(image > threshold)
        top, left = places.min(axis=0)
        bottom, right = places.max(axis=0)
        return image[top : bottom + 1, left : right + 1]

    @staticmethod
    def center_ink(image):
        height, width = image.shape
        row = (np.arange(height)[:, None] * image).sum() / image.sum()
        column = (np.arange(width) * image).sum() / image.sum()
        down, right = round(height / 2 - row), round(width / 2 - column)
        padded = np.pad(image, max(height, width))  # room to move in
        top, left = max(height, width) - down, max(height, width) - right
        return padded[top : top + height, left : left + width]

    @staticmethod
    def honest_share(values, labels):
        right = 0
        for i in range(len(values)):
            others, theirs = np.delete(values, i), np.delete(labels, i)
            distances = [abs(values[i] - others[theirs == k].mean()) for k in (0, 1)]
            right += np.argmin(distances) == labels[i]
        return right / len(values)


NAMES = [name for names in checks.EXERCISES.values() for name in names]


@pytest.mark.parametrize("name", NAMES)
def test_the_model_solution_is_right(name, capsys):
    exercise = getattr(checks, name)
    assert exercise(getattr(Solutions, name)) is None
    printed = capsys.readouterr()
    assert printed.out.startswith("✓ right: ")
    assert printed.err == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_model_solution_takes_the_arguments_the_exercise_names(name):
    solution = getattr(Solutions, name)
    assert f"{name}{inspect.signature(solution)}" == getattr(checks, name).signature


@pytest.mark.parametrize("name", NAMES)
def test_float32_is_good_enough(name):
    """A learner whose arrays are float32 is right as well."""

    def single(value):
        return value.astype(np.float32) if getattr(value, "dtype", None) == np.float64 else value

    def in_float32(*arguments):
        result = getattr(Solutions, name)(*map(single, arguments))
        return tuple(map(single, result)) if isinstance(result, tuple) else single(result)

    assert getattr(checks, name).diagnose(in_float32).mark == "✓"
