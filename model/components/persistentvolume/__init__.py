"""The PersistentVolume controller, and provisioners."""
