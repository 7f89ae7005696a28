"""The widgets in a real browser: with mouse and keys, in light and dark, and how quick they are."""

import time

import live_lab
import pytest

if live_lab.why_not():
    pytest.skip(live_lab.why_not(), allow_module_level=True)

import json

from selenium.webdriver import ActionChains, Keys

EDITOR = '[aria-label="Kernel editor"]'
PAD = '[aria-label="Drawing pad"]'
EXPLORER = '[aria-label="Layer explorer"]'
THEMES = ("JupyterLab Light", "JupyterLab Dark")


@pytest.fixture(scope="module")
def notebook(page):
    """Return the page with the notebook of widgets, which has run."""
    page.open("widgets.ipynb")
    for cell in page.run_all():
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert errors == [], cell["source"]
        assert cell["run"]
    for selector in (EDITOR, PAD, EXPLORER):
        page.find(selector)
    page.driver.get_log("browser")  # what came before is JupyterLab's
    return page


def into_view(page, selector):
    """Scroll to an element and return it."""
    element = page.find(selector)
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return element


def python(page, expression):
    """Return the value of a Python expression in the notebook's kernel."""
    answer = page.driver.execute_async_script(ASK, f"import json\nprint(json.dumps({expression}))")
    return json.loads(answer)


ASK = """
const [code, done] = arguments;
const future = jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code});
let text = '';
future.onIOPub = ({header, content}) => {
  if (header.msg_type === 'stream') text += content.text;
  if (header.msg_type === 'error') text += JSON.stringify(content.evalue);
};
future.done.then(() => done(text), (error) => done(JSON.stringify(String(error))));
"""


def says(page, selector, text):
    """Wait until an element's text has this in it."""
    page.wait(lambda: text in page.text(selector), f"{text!r} in {selector}")


# ------------------------------------------------------------------ ipywidgets' own


def test_slider_moves(notebook):
    handle = into_view(notebook, ".jp-OutputArea .noUi-handle")
    says(notebook, ".widget-interact .jp-OutputArea", "the square is 25")
    handle.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    says(notebook, ".widget-interact .jp-OutputArea", "the square is 49")


# ------------------------------------------------------------------ KernelEditor


def cells(page):
    into_view(page, EDITOR)
    return page.driver.find_elements("css selector", f"{EDITOR} .cnnedu-grid input")


def choose(page, widget, text):
    """Pick an entry of any of a widget's lists."""
    for option in page.driver.find_elements("css selector", f"{widget} option"):
        if option.get_attribute("value") == text:
            return option.click()
    raise AssertionError(f"no entry {text!r} in {widget}")


class TestKernelEditor:
    def test_preset_fills_the_cells(self, notebook):
        into_view(notebook, EDITOR)
        choose(notebook, EDITOR, "sobel_x")
        says(notebook, EDITOR, "The kernel sobel_x answers to vertical edges")
        values = [cell.get_attribute("value") for cell in cells(notebook)]
        assert values == ["−1", "0", "1", "−2", "0", "2", "−1", "0", "1"]
        assert python(notebook, "editor.kernel.tolist()") == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]

    def test_typed_number_arrives(self, notebook):
        choose(notebook, EDITOR, "identity")
        says(notebook, EDITOR, "sum of the kernel 1;")
        center = cells(notebook)[4]
        center.click()
        center.send_keys(Keys.CONTROL, "a")
        center.send_keys(Keys.NULL, "-3/2")
        says(notebook, EDITOR, "sum of the kernel −1.5;")
        assert python(notebook, "float(editor.response.min())") == pytest.approx(
            -1.5 * python(notebook, "float(editor.image[1:-1, 1:-1].max())")
        )
        center.send_keys(Keys.BACKSPACE * 4, "x")
        assert center.get_attribute("aria-invalid") is not None
        center.send_keys(Keys.TAB)
        # On the way back from -3/2 the cell has held -3, the last number that it could read.
        notebook.wait(lambda: center.get_attribute("value") == "−3", "the last number")

    def test_arrow_keys_step(self, notebook):
        choose(notebook, EDITOR, "identity")
        says(notebook, EDITOR, "sum of the kernel 1;")
        first = cells(notebook)[0]
        first.send_keys(Keys.ARROW_UP * 3)
        says(notebook, EDITOR, "sum of the kernel 1.3;")
        first.send_keys(Keys.ARROW_DOWN * 5)
        says(notebook, EDITOR, "sum of the kernel 0.8;")
        assert python(notebook, "editor.kernel[0, 0]") == pytest.approx(-0.2)

    def test_drag_changes_a_number(self, notebook):
        choose(notebook, EDITOR, "identity")
        says(notebook, EDITOR, "sum of the kernel 1;")
        corner = cells(notebook)[8]
        mouse = ActionChains(notebook.driver, duration=30)
        mouse.click_and_hold(corner).move_by_offset(0, -50).release().perform()
        says(notebook, EDITOR, "sum of the kernel 2;")
        assert python(notebook, "editor.kernel[2, 2]") == pytest.approx(1)

    def test_convolution_and_photograph(self, notebook):
        choose(notebook, EDITOR, "sobel_x")
        choose(notebook, EDITOR, "convolution")
        says(notebook, EDITOR, "gets brighter to the left")
        choose(notebook, EDITOR, "photograph")
        notebook.wait(
            lambda: (
                notebook.driver.execute_script(
                    f"return document.querySelector('{EDITOR} canvas').height"
                )
                == 200
            ),
            "the photograph",
        )
        assert python(notebook, "list(editor.image.shape)")[0] == 200
        choose(notebook, EDITOR, "digit")
        choose(notebook, EDITOR, "correlation")
        says(notebook, EDITOR, "The kernel sobel_x")

    def test_pointing_tells_the_sum(self, notebook):
        response = notebook.driver.find_elements("css selector", f"{EDITOR} .cnnedu-over")[1]
        into_view(notebook, EDITOR)
        mouse = ActionChains(notebook.driver)
        mouse.move_to_element_with_offset(response, 4, 4).perform()  # cells are 8 pixels wide
        says(notebook, f"{EDITOR} .cnnedu-sum", "row 13, column 13: ")
        response.send_keys(Keys.ARROW_DOWN, Keys.ARROW_LEFT)
        says(notebook, f"{EDITOR} .cnnedu-sum", "row 14, column 12: ")

    def test_response_on_the_screen_is_pythons(self, notebook):
        """The colors of the canvas are those of the numbers."""
        choose(notebook, EDITOR, "identity")
        says(notebook, EDITOR, "The kernel identity")
        shown = notebook.driver.execute_script(
            f"const canvas = document.querySelectorAll('{EDITOR} .cnnedu-over canvas')[1];"
            "const {data, width, height} = canvas.getContext('2d')"
            ".getImageData(0, 0, canvas.width, canvas.height);"
            "return [height, width, [...data].filter((_, index) => index % 4 === 0)]"
        )
        rows, columns, red = shown
        assert [rows, columns] == [26, 26]
        response = python(notebook, "editor.response.ravel().tolist()")
        for seen, value in zip(red, response, strict=True):
            assert seen == pytest.approx(255 * value / max(1, *response), abs=2)

    def test_quick(self, notebook, record_property):
        """From a key to the new picture; the aim is 0.1 s, with room for a busy machine."""
        into_view(notebook, EDITOR)
        waits = sorted(notebook.driver.execute_async_script(TIME_KERNEL))
        record_property("milliseconds", waits[len(waits) // 2])
        print("kernel editor answers after", waits[len(waits) // 2], "ms")
        assert waits[len(waits) // 2] < 1500


TIME_KERNEL = f"""
const done = arguments[0];
const root = document.querySelector('{EDITOR}');
const input = root.querySelectorAll('.cnnedu-grid input')[4];
const limits = root.querySelector('.cnnedu-limits');
(async () => {{
  const waits = [];
  for (let i = 1; i <= 11; i++) {{
    const start = performance.now();
    const changed = new Promise((resolve) => {{
      new MutationObserver((_, self) => {{ self.disconnect(); resolve(); }})
        .observe(limits, {{childList: true, characterData: true, subtree: true}});
    }});
    input.value = String(i * 1.5);
    input.dispatchEvent(new Event('input'));
    await changed;
    waits.push(performance.now() - start);
  }}
  done(waits);
}})();
"""


# ------------------------------------------------------------------ DrawDigit


def pad_of(page):
    into_view(page, PAD)
    return page.find(f"{PAD} .cnnedu-pad")


def clear(page):
    page.driver.find_element("xpath", "//*[@aria-label='Drawing pad']//button[.='Clear']").click()
    says(page, PAD, "Nothing is drawn yet.")


def draw_seven(page):
    """Draw a seven with the mouse."""
    mouse = ActionChains(page.driver, duration=40)
    mouse.move_to_element_with_offset(pad_of(page), -60, -85).click_and_hold()
    mouse.move_by_offset(125, 0).move_by_offset(-40, 80).move_by_offset(-40, 85)
    mouse.release().perform()


class TestDrawDigit:
    def test_a_seven_is_read_as_a_seven(self, notebook):
        draw_seven(notebook)
        says(notebook, PAD, "Read as 7 (")
        probabilities = python(notebook, "pad.probabilities.tolist()")
        assert max(probabilities) == probabilities[7]
        shares = [
            row.text.split("\n")[-1]
            for row in notebook.driver.find_elements("css selector", f"{PAD} [role=listitem]")
        ]
        assert len(shares) == 10
        assert shares[7] == max(shares, key=lambda text: int(text.strip("<> %")))
        captions = notebook.text(f"{PAD} .cnnedu-sheets").split("\n")
        assert captions[0] == "conv1: 32 maps of 24 × 24"
        assert python(notebook, "[name for name in pad.maps]") == [
            *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "dense1", "relu3", "dense2")
        ]
        # What a screen reader says, when the pen has come to rest.
        notebook.wait(
            lambda: (
                "Read as 7" in notebook.find(f"{PAD} .cnnedu-heard").get_attribute("textContent")
            ),
            "the answer in the live region",
        )

    def test_what_is_seen_is_what_python_has(self, notebook):
        ink = python(notebook, "[float(pad.drawing.mean()), float(pad.image.max())]")
        white = notebook.driver.execute_script(
            f"const pad = document.querySelector('{PAD} .cnnedu-pad');"
            "const {data} = pad.getContext('2d').getImageData(0, 0, pad.width, pad.height);"
            "let sum = 0; for (let i = 0; i < data.length; i += 4) sum += data[i];"
            "return sum / (data.length / 4) / 255"
        )
        assert ink[0] == pytest.approx(1 - white, abs=1e-4)
        assert ink[1] > 0.9

    def test_save_writes_a_named_picture(self, notebook, folder):
        if not python(notebook, "bool(pad.drawing.any())"):
            draw_seven(notebook)
        choose(notebook, PAD, "7")
        notebook.driver.find_element(
            "xpath", "//*[@aria-label='Drawing pad']//button[.='Save']"
        ).click()
        says(notebook, PAD, "Saved as ")
        assert (folder / "my-digits" / "7.png").exists()

    def test_clear_takes_a_new_sheet(self, notebook):
        pad_of(notebook)
        clear(notebook)
        assert python(notebook, "pad.image is None")

    def test_keys_draw_and_do_nothing_else(self, notebook):
        """JupyterLab has keys of its own for cells: they must not act while the pad has them."""
        count = "return jupyterapp.shell.currentWidget.context.model.cells.length"
        before = notebook.driver.execute_script(count)
        pad = pad_of(notebook)
        pad.send_keys(" ", Keys.ARROW_DOWN * 16, " ")
        says(notebook, PAD, "Read as ")
        pad.send_keys("a", "b", "x", "d", "d", "z")
        time.sleep(0.3)
        assert notebook.driver.execute_script(count) == before
        rows, columns = python(
            notebook, "[int(n) for n in np.ptp(np.nonzero(pad.drawing), axis=1)]"
        )
        assert rows > 150
        assert columns < 30
        pad.send_keys(Keys.DELETE)
        says(notebook, PAD, "Nothing is drawn yet.")

    def test_python_draws_on_the_pad(self, notebook):
        python(notebook, "(setattr(pad, 'drawing', np.eye(280)[:, ::-1]), 0)[1]")
        says(notebook, PAD, "Read as ")
        corner = notebook.driver.execute_script(
            f"const paper = document.querySelector('{PAD} .cnnedu-pad').getContext('2d');"
            "return [279, 0].map((x) => paper.getImageData(x, 0, 1, 1).data[0])"
        )
        assert corner == [0, 255]
        clear(notebook)


# ------------------------------------------------------------------ LayerExplorer


class TestLayerExplorer:
    def test_layer_unit_and_image_can_be_chosen(self, notebook):
        into_view(notebook, EXPLORER)
        choose(notebook, EXPLORER, "conv2")
        says(notebook, EXPLORER, "conv2, unit 0 answers most")
        unit, image = notebook.driver.find_elements(
            "css selector", f"{EXPLORER} input[type=number]"
        )
        for control, value in ((unit, "12"), (image, "34")):
            control.send_keys(Keys.CONTROL, "a")
            control.send_keys(Keys.NULL, value)
        says(notebook, EXPLORER, "conv2, unit 12 answers most")
        says(notebook, EXPLORER, "of image 34 (labeled")
        assert python(notebook, "[explorer.layer, explorer.unit, explorer.image]") == [
            "conv2", 12, 34
        ]  # fmt: skip

    def test_click_on_a_map_chooses_it(self, notebook):
        sheet = notebook.driver.find_elements("css selector", f"{EXPLORER} .cnnedu-over")[-1]
        notebook.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", sheet)
        width, height = sheet.size["width"], sheet.size["height"]
        mouse = ActionChains(notebook.driver)
        mouse.move_to_element_with_offset(sheet, 3 - width // 2, 3 - height // 2).click().perform()
        says(notebook, EXPLORER, "unit 0 answers")
        sheet.send_keys(Keys.ARROW_RIGHT)
        says(notebook, EXPLORER, "unit 1 answers")

    def test_button_finds_the_most_exciting_image(self, notebook):
        notebook.driver.find_element("css selector", f"{EXPLORER} button").click()
        wanted = python(
            notebook, "explorer._explorer.strongest_image(explorer.layer, explorer.unit)"
        )
        says(notebook, EXPLORER, f"of image {wanted} (labeled")


# ------------------------------------------------------------------ all of them


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_in_every_theme(notebook, theme):
    notebook.driver.execute_async_script(
        "const [theme, done] = arguments;"
        "jupyterapp.commands.execute('apputils:change-theme', {theme})"
        ".then(() => setTimeout(done, 1000))",
        theme,
    )
    low = notebook.driver.execute_script(CONTRAST)
    assert low["count"] > 30
    assert low["worst"] >= 4.5, low  # WCAG 2, level AA


# The contrast of every visible text of the widgets with what it stands on.
CONTRAST = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => {
  const part = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const color = channels(getComputedStyle(e).backgroundColor);
    if (color.length === 3 || color[3] > 0.99) return color;
  }
  return [255, 255, 255];
};
let worst = 99, where = '', count = 0;
for (const e of document.querySelectorAll('.cnnedu-widget *')) {
  const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const typed = ['text', 'number'].includes(e.type);
  if ((!own && !typed) || !e.offsetParent || e.tagName === 'OPTION') continue;
  const [a, b] = [luminance(channels(getComputedStyle(e).color)), luminance(ground(e))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  count += 1;
  if (contrast < worst) { worst = contrast; where = e.outerHTML.slice(0, 200); }
}
return {worst, where, count};
"""


def test_every_control_has_a_name_for_screen_readers(notebook):
    """As the browser itself computes names for them."""
    nameless = []
    controls = "input, select, button, [tabindex], canvas:not([aria-hidden])"
    for selector in (EDITOR, PAD, EXPLORER):
        for element in notebook.find(selector).find_elements("css selector", controls):
            if not element.accessible_name and element.is_displayed():
                nameless.append(element.get_attribute("outerHTML")[:200])
    assert nameless == []


def test_nothing_went_wrong_unseen(notebook):
    severe = [
        entry["message"]
        for entry in notebook.driver.get_log("browser")
        if entry["level"] == "SEVERE"
    ]
    assert severe == []
    for selector in (EDITOR, PAD, EXPLORER):
        assert notebook.text(f"{selector}") != ""
        for trouble in notebook.find(selector).find_elements("css selector", ".cnnedu-trouble"):
            assert trouble.text == ""
