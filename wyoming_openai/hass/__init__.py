"""The Home Assistant seam."""
