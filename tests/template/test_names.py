"""Every name of Home Assistant's template language is there, in each of its forms."""

import pytest

from wyoming_openai.template.environment import environment

ADDED = {
    "GF": """
        states state_attr expand closest state_translated state_attr_translated area_id area_name
        area_entities area_devices floor_id floor_name floor_areas floor_entities labels label_id
        label_name label_description label_areas label_devices label_entities device_entities
        device_id device_name device_attr entity_name config_entry_id config_entry_attr
        integration_entities issue today_at relative_time time_since time_until timedelta_string
        as_datetime as_local as_timestamp as_timedelta sin cos tan asin acos atan atan2 log sqrt
        average median statistical_mode bitwise_and bitwise_or bitwise_xor clamp wrap remap float
        int bool slugify version flatten shuffle intersect difference union symmetric_difference
        combine as_function iif typeof pack unpack md5 sha1 sha256 sha512
    """,
    "GT": """
        is_state is_state_attr is_device_attr is_hidden_entity set tuple
    """,
    "GFT": """
        has_value is_number apply
    """,
    "G": """
        distance areas floors issues now utcnow strptime timedelta e pi tau min max urlencode zip
        merge_response
    """,
    "F": """
        timestamp_custom timestamp_local timestamp_utc add multiply round ordinal ord regex_match
        regex_search regex_replace regex_findall regex_findall_index random is_defined to_json
        from_json from_hex base64_encode base64_decode
    """,
    "T": """
        datetime match search string_like list
    """,
    "FT": """
        contains
    """,
}
"""By form: G global, F filter, T test."""

JINJAS = {
    "G": "range dict lipsum cycler joiner namespace",
    "F": """
        abs attr batch capitalize center count d default dictsort e escape filesizeformat first forceescape format
        groupby indent items join last length list lower map max min pprint reject rejectattr replace reverse safe
        select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode urlize
        wordcount wordwrap xmlattr
    """,
    "T": """
        boolean callable defined divisibleby eq equalto == escaped even false filter float ge gt greaterthan > >= in
        integer iterable le lower lt lessthan < <= mapping ne != none number odd sameas sequence string test true
        undefined upper
    """,
}


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (form, name)
        for names in (ADDED, JINJAS)
        for forms, listed in names.items()
        for name in listed.split()
        for form in forms
    ],
)
def test_name_is_known(form: str, name: str) -> None:
    known = {"G": environment().globals, "F": environment().filters, "T": environment().tests}
    assert name in known[form]
