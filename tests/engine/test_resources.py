import gazeapp
from gazeapp.engine.resources import package_folder, resource_path


def test_a_checkout_has_its_resources_beside_the_package():
    assert resource_path("report", "report.html.jinja").is_file()


def test_an_installed_package_has_its_resources_inside(tmp_path, monkeypatch):
    inside = tmp_path / "site-packages" / "gazeapp"
    (inside / "resources" / "report").mkdir(parents=True)
    monkeypatch.setattr(gazeapp, "__file__", str(inside / "__init__.py"))
    assert resource_path("report") == (inside / "resources" / "report").resolve()


def test_data_of_a_package_are_found_without_its_code(tmp_path, monkeypatch):
    (tmp_path / "only_data_of_it" / "data").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    assert package_folder("only_data_of_it") == tmp_path / "only_data_of_it"
    assert package_folder("nobody_has_this") is None
