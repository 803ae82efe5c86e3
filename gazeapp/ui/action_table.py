"""Everything the window can do, in one table."""

from __future__ import annotations

from dataclasses import dataclass

SEPARATOR = "-"


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """One thing that can be done.

    Parameters
    ----------
    id
        Stable name, such as ``study.score``.
    text
        What menus and the command palette say.
    tooltip
        What it does, as a sentence.
    menu
        Menu that holds it.
    shortcuts
        Key sequences; the first is shown.
    icon
        Icon of resources/icons.
    group
        Actions of one group exclude each other.
    checkable
        Whether it is on or off.
    keys_in
        ``window`` when the keys work anywhere; ``view`` when the compare view handles them itself, so
        that tables and sliders keep their arrow keys.
    submenu
        Part of the menu that opens beside it; empty for the menu itself.
    """

    id: str
    text: str
    tooltip: str
    menu: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    group: str = ""
    checkable: bool = False
    keys_in: str = "window"
    submenu: str = ""


FILE, EDIT, VIEW, MASK, STUDY, MODELS = "&File", "&Edit", "&View", "&Mask", "&Study", "M&odels"
BRAIN, HELP = "&Brain", "&Help"
MENUS = (FILE, EDIT, VIEW, MASK, STUDY, MODELS, BRAIN, HELP)


def _view(id_: str, text: str, tooltip: str, *keys: str, checkable: bool = False) -> ActionInfo:
    return ActionInfo(id_, text, tooltip, VIEW, keys, checkable=checkable, keys_in="view")


def _mask(
    id_: str, text: str, tooltip: str, *keys: str, icon: str = "", submenu: str = "", tick: bool = False
) -> ActionInfo:
    """Return an action of the mask painter; its keys mean something while masks are painted."""
    group = "mask_tool" if submenu == _TOOL and id_ != "subtract" else ""
    return ActionInfo(
        f"mask.{id_}", text, tooltip, MASK, keys, icon, group, bool(group) or tick, "view", submenu
    )


_TOOL, _HALF, _WHOLE, _BRUSH = "Tool", "Half of the image", "Whole mask", "Brush"

TABLE: tuple[ActionInfo | str, ...] = (
    ActionInfo(
        "file.new", "New project…", "Start a study from a folder of images.", FILE, ("Ctrl+N",), "plus"
    ),
    ActionInfo("file.open", "Open project…", "Open a .gaze file.", FILE, ("Ctrl+O",), "open"),
    ActionInfo(
        "file.demo",
        "Open the demo study",
        "Open a whole study of drawn scenes and simulated observers; it is built the first time.",
        FILE,
        (),
        "play",
    ),
    SEPARATOR,
    ActionInfo("file.close", "Close project", "Go back to the welcome page.", FILE, ("Ctrl+W",), "home"),
    ActionInfo(
        "file.quit",
        "Quit",
        "Close gazeapp; work in progress stops after the unit in hand.",
        FILE,
        ("Ctrl+Q",),
    ),
    ActionInfo("edit.undo", "Undo", "Take back the last change.", EDIT, ("Ctrl+Z",), "undo"),
    ActionInfo(
        "edit.redo", "Redo", "Do again what was taken back.", EDIT, ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"
    ),
    SEPARATOR,
    ActionInfo(
        "edit.move",
        "Move scanpath",
        "Drag a scanpath to where it belongs, or nudge it with the arrow keys; Return keeps it, Esc drops it.",
        EDIT,
        ("M",),
        checkable=True,
    ),
    ActionInfo(
        "edit.reset_offset",
        "Reset offset",
        "Put the observer's scanpath back where it was recorded; all of them when no observer is chosen.",
        EDIT,
    ),
    ActionInfo(
        "edit.offset_recording",
        "Same offset for the whole recording",
        "Give every trial of the recording the offset of this one on the screen: a correction of drift.",
        EDIT,
    ),
    _view("view.previous_image", "Previous image", "Show the image above in the list.", "Up"),
    _view("view.next_image", "Next image", "Show the image below in the list.", "Down"),
    _view("view.previous_word", "Previous word", "Show the map of the word before.", "Left"),
    _view("view.next_word", "Next word", "Show the map of the next word.", "Right"),
    ActionInfo("view.next_task", "Next task", "Switch to the next task.", VIEW, ("T",)),
    SEPARATOR,
    _view(
        "view.alone",
        "Enlarge the pane in focus",
        "Give all the room to the pane in focus, or show all panes again; a double click on its title does it, too.",
        "Z",
        checkable=True,
    ),
    _view("view.overlay", "Maps", "Show or hide the maps over the images.", "Space", checkable=True),
    ActionInfo("view.fixations", "Fixations", "Show or hide fixations.", VIEW, ("F",), checkable=True),
    ActionInfo(
        "view.scanpath", "Scanpaths", "Show or hide the order of fixations.", VIEW, ("S",), checkable=True
    ),
    ActionInfo(
        "view.difference",
        "Difference with people",
        "Show each model's map minus the human map.",
        VIEW,
        ("D",),
        checkable=True,
    ),
    SEPARATOR,
    ActionInfo(
        "view.images", "Images panel", "Show or hide the list of images.", VIEW, ("F7",), checkable=True
    ),
    ActionInfo(
        "view.results", "Results panel", "Show or hide scores and jobs.", VIEW, ("F8",), checkable=True
    ),
    ActionInfo(
        "view.inspector", "Inspector panel", "Show or hide the inspector.", VIEW, ("F9",), checkable=True
    ),
    ActionInfo(
        "view.scores",
        "Scores and what follows",
        "Show scores, differences, effects of the architecture, and the other results.",
        VIEW,
        ("Ctrl+T",),
        "chart",
    ),
    ActionInfo(
        "view.neglect",
        "Neglect",
        "Show what happens to the models when the mask is taken away from the image.",
        VIEW,
        ("N",),
        "half-left",
    ),
    ActionInfo(
        "view.lesion",
        "Under the lesion",
        "Let models show what they say and attend to without what the mask covers, or with the whole image.",
        VIEW,
        ("V",),
        checkable=True,
    ),
    ActionInfo(
        "view.neural",
        "Brain responses",
        "Show how well maps predict brain responses, region by region, and on the cortex.",
        VIEW,
        ("Ctrl+B",),
        "brain",
    ),
    ActionInfo(
        "view.words",
        "Words, layers and heads",
        "Show a caption word by word, and where each layer and head looked.",
        VIEW,
        ("W",),
        "layers",
    ),
    ActionInfo(
        "view.quality",
        "Quality of the recordings",
        "Show how good recordings and trials are, and which stand out.",
        VIEW,
        ("Ctrl+L",),
        "scale",
    ),
    ActionInfo(
        "view.reset", "Reset layout", "Put all panels back where they were at first.", VIEW, (), "layout"
    ),
    SEPARATOR,
    ActionInfo(
        "theme.system", "Theme: as the system", "Follow the system's theme.", VIEW, (), "", "theme", True
    ),
    ActionInfo("theme.light", "Theme: light", "Stay light.", VIEW, (), "", "theme", True),
    ActionInfo("theme.dark", "Theme: dark", "Stay dark.", VIEW, (), "", "theme", True),
    ActionInfo(
        "mask.paint",
        "Paint a mask",
        "Draw on the image which part of it is to be taken away from the models.",
        MASK,
        ("B",),
        "brush",
        checkable=True,
    ),
    SEPARATOR,
    _mask("brush", "Brush", "Paint along the way of the mouse.", "P", icon="brush", submenu=_TOOL),
    _mask(
        "eraser",
        "Eraser",
        "Erase along the way of the mouse; again: back to the brush.",
        "E",
        icon="eraser",
        submenu=_TOOL,
    ),
    _mask("polygon", "Polygon", "Draw a polygon corner by corner.", "L", icon="polygon", submenu=_TOOL),
    _mask("rectangle", "Rectangle", "Drag a rectangle.", "R", icon="rectangle", submenu=_TOOL),
    _mask("ellipse", "Ellipse", "Drag an ellipse.", "O", icon="ellipse", submenu=_TOOL),
    _mask(
        "half_plane",
        "Half-plane",
        "Drag along an edge; all that lies on its left is taken.",
        "H",
        icon="half-plane",
        submenu=_TOOL,
    ),
    _mask(
        "gradient",
        "Gradient",
        "Drag from where all is taken to where nothing is, as graded neglect has it.",
        "G",
        icon="gradient",
        submenu=_TOOL,
    ),
    _mask(
        "subtract",
        "Take cover away",
        "Let brush and shapes take cover away and not add to it; the right button always does.",
        "X",
        icon="subtract",
        submenu=_TOOL,
        tick=True,
    ),
    _mask("larger", "Larger brush", "Make the brush larger.", "]", submenu=_BRUSH),
    _mask("smaller", "Smaller brush", "Make the brush smaller.", "[", submenu=_BRUSH),
    _mask("softer", "Softer brush", "Let the brush fade over more of its radius.", "Shift+]", submenu=_BRUSH),
    _mask("harder", "Harder brush", "Let the brush fade over less of its radius.", "Shift+[", submenu=_BRUSH),
    _mask(
        "left",
        "Left half",
        "Cover the left half of the image.",
        "Shift+Left",
        icon="half-left",
        submenu=_HALF,
    ),
    _mask(
        "right",
        "Right half",
        "Cover the right half of the image.",
        "Shift+Right",
        icon="half-right",
        submenu=_HALF,
    ),
    _mask(
        "top", "Upper half", "Cover the upper half of the image.", "Shift+Up", icon="half-top", submenu=_HALF
    ),
    _mask(
        "bottom",
        "Lower half",
        "Cover the lower half of the image.",
        "Shift+Down",
        icon="half-bottom",
        submenu=_HALF,
    ),
    _mask("fill", "Cover everything", "Cover the whole image.", "A", icon="fill", submenu=_WHOLE),
    _mask(
        "invert", "Invert", "Cover what is not covered, and only that.", "I", icon="invert", submenu=_WHOLE
    ),
    _mask("clear", "Clear", "Cover nothing.", "C", "Del", icon="clear", submenu=_WHOLE),
    _mask(
        "soften",
        "Soften",
        "Blur the edges by one percent of the image; again: more.",
        "K",
        icon="soften",
        submenu=_WHOLE,
    ),
    _mask("mirror", "Mirror", "Exchange left and right.", "Shift+M", icon="mirror", submenu=_WHOLE),
    SEPARATOR,
    _mask("new", "New mask", "Begin another mask of the library.", icon="plus"),
    _mask("rename", "Rename mask", "Give the mask in hand another name, on all images."),
    _mask("duplicate", "Duplicate mask", "Go on with a copy of this image's mask.", icon="copy"),
    _mask("delete", "Delete mask…", "Remove the mask in hand from all images."),
    _mask("copy_next", "Copy to the next image", "Put this image's mask on the next image, and go there."),
    _mask("copy_all", "Copy to all images…", "Put this image's mask on all other images."),
    _mask("import", "Import masks…", "Read masks from PNG, COCO or labelme files.", icon="open"),
    _mask("export", "Export masks…", "Write masks as PNG, COCO or labelme files.", icon="export"),
    SEPARATOR,
    ActionInfo(
        "study.images", "Add images…", "Add pictures or a folder of them.", STUDY, ("Ctrl+I",), "image"
    ),
    ActionInfo(
        "study.gaze",
        "Import gaze…",
        "Import the files that an eye tracker wrote, or tables of fixations.",
        STUDY,
        ("Ctrl+G",),
        "gaze",
    ),
    ActionInfo(
        "study.choices",
        "Fixations in use…",
        "Choose which fixations count and how they make human maps; nothing is deleted.",
        STUDY,
    ),
    ActionInfo(
        "study.geometry",
        "Screen and distance…",
        "Say how large the screen was, where images lay on it, and how far it was away.",
        STUDY,
    ),
    ActionInfo(
        "study.remove_gaze",
        "Remove recordings…",
        "Take recordings out of the study; their files stay where they are.",
        STUDY,
    ),
    ActionInfo(
        "study.extract", "Run models…", "Make captions and attention maps.", STUDY, ("Ctrl+E",), "model"
    ),
    ActionInfo(
        "study.lesion",
        "Neglect experiment…",
        "Take parts of every image away from the models and hold what that does against controls.",
        STUDY,
        (),
        "half-left",
    ),
    ActionInfo(
        "study.remove_lesions",
        "Remove lesions…",
        "Take lesions out of the study, so that they do not count among its tests; masks and intact captions stay.",
        STUDY,
    ),
    ActionInfo(
        "study.maps",
        "Import maps…",
        "Bring in maps of a model that was run elsewhere: PNG, NPY, NPZ or HDF5.",
        STUDY,
        (),
        "layers",
    ),
    ActionInfo(
        "study.score",
        "Score the study…",
        "Compare every map, and people themselves, with where people looked: choose conventions and metrics.",
        STUDY,
        ("Ctrl+R",),
        "chart",
    ),
    ActionInfo(
        "study.scanpaths",
        "Compare scanpaths",
        "Measure how alike the scanpaths of different people are on the same image, beside those on others.",
        STUDY,
        (),
        "path",
    ),
    SEPARATOR,
    ActionInfo(
        "study.report",
        "Write report…",
        "Write one HTML file with everything.",
        STUDY,
        ("Ctrl+Shift+R",),
        "report",
    ),
    ActionInfo(
        "study.export",
        "Export tables…",
        "Write tidy CSV tables and maps.",
        STUDY,
        ("Ctrl+Shift+E",),
        "export",
    ),
    ActionInfo(
        "study.quality",
        "Export quality…",
        "Write the quality of trials or recordings as a CSV table.",
        STUDY,
        (),
        "export",
    ),
    SEPARATOR,
    ActionInfo("work.jobs", "Show jobs", "Show what runs and what has run.", STUDY, ("Ctrl+J",), "clock"),
    ActionInfo(
        "work.problems", "Show problems", "Show what could not be used, and why.", STUDY, (), "warning"
    ),
    ActionInfo(
        "work.cancel", "Cancel the running job", "Stop after the unit in hand.", STUDY, ("Ctrl+.",), "stop"
    ),
    ActionInfo(
        "work.pause",
        "Pause the running job",
        "Wait after the unit in hand, or go on.",
        STUDY,
        ("Ctrl+Alt+.", "Pause"),
        "pause",
    ),
    ActionInfo(
        "work.again",
        "Run again what is left",
        "Take up the last job that stopped, failed or had problems.",
        STUDY,
        ("Ctrl+Alt+J",),
        "play",
    ),
    ActionInfo(
        "models.train",
        "Train a captioner…",
        "Train a captioner, or the four of a factorial design, in a process of its own.",
        MODELS,
        ("Ctrl+Alt+N",),
        "model",
    ),
    ActionInfo(
        "models.watch",
        "Watch a training…",
        "Follow a training that was started on a terminal or a cluster: choose its folder.",
        MODELS,
        (),
        "open",
    ),
    ActionInfo(
        "models.training",
        "Trainings",
        "Show how trainings stand, with their curves over one another.",
        MODELS,
        ("Ctrl+Alt+T",),
        "chart",
    ),
    SEPARATOR,
    ActionInfo(
        "models.import_captioner",
        "Import a captioner…",
        "Bring a captioner that was trained elsewhere, or one in a folder, and offer it among the models.",
        MODELS,
        (),
        "plus",
    ),
    ActionInfo(
        "neural.import_responses",
        "Import responses…",
        "Bring in brain responses to the images, measured or simulated.",
        BRAIN,
        ("Ctrl+Shift+B",),
        "brain",
    ),
    ActionInfo(
        "neural.predict",
        "Simulate responses with a model (TRIBE)…",
        "Let a model of the brain, such as TRIBE, make responses to the images: simulated ones, no recording.",
        BRAIN,
        (),
        "model",
    ),
    ActionInfo(
        "neural.regions",
        "Regions of the cortex…",
        "Bring in atlases, put regions into groups, and see which regions of your own there are.",
        BRAIN,
        (),
        "layers",
    ),
    SEPARATOR,
    ActionInfo(
        "neural.run",
        "Predict responses from maps…",
        "Learn to predict responses from the maps of models and people, and test how well that goes in each region.",
        BRAIN,
        ("Ctrl+Alt+B",),
        "chart",
    ),
    SEPARATOR,
    ActionInfo(
        "neural.remove_responses",
        "Remove responses…",
        "Take responses out of the study with all that was found of them; their files stay where they are.",
        BRAIN,
    ),
    ActionInfo(
        "help.palette",
        "Command palette",
        "Find anything that can be done.",
        HELP,
        ("Ctrl+K", "Ctrl+Shift+P"),
        "command",
    ),
    ActionInfo("help.shortcuts", "Keyboard shortcuts", "All keys on one sheet.", HELP, ("F1",), "keyboard"),
    ActionInfo("help.crashes", "Crash reports", "Open the folder of crash reports.", HELP, (), "folder"),
    ActionInfo("help.about", "About gazeapp", "Version and libraries.", HELP, (), "info"),
)


def infos() -> list[ActionInfo]:
    """Return all actions of the table, in order."""
    return [entry for entry in TABLE if isinstance(entry, ActionInfo)]
