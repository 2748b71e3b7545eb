"""Read by every IPython kernel of this environment, before the user's own profile.

It does nothing unless ``KFNB_AUTOLOAD=1`` is set: then kernels load kfnb's magics by themselves, as if each
notebook began with ``%load_ext kfnb``. Set it in the image, or in the ``env`` of a Notebook or a PodDefault.
"""

import os

if os.environ.get("KFNB_AUTOLOAD", "").strip().lower() in {"1", "true", "yes", "on"}:
    c = get_config()
    c.InteractiveShellApp.extensions.append("kfnb")
