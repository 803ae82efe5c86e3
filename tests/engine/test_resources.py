import gazeapp
from gazeapp.engine.resources import resource_path


def test_a_checkout_has_its_resources_beside_the_package():
    assert resource_path("report", "report.html.jinja").is_file()


def test_an_installed_package_has_its_resources_inside(tmp_path, monkeypatch):
    inside = tmp_path / "site-packages" / "gazeapp"
    (inside / "resources" / "report").mkdir(parents=True)
    monkeypatch.setattr(gazeapp, "__file__", str(inside / "__init__.py"))
    assert resource_path("report") == (inside / "resources" / "report").resolve()
